"""Writes torch.json: outputs and input gradients of PyTorch's modules on small integers, so that sums are exact.

    pip install torch && python gen.py

Value i of an input in NCHW order is (7 i) mod 11 - 5, of weights (OIHW) (5 i) mod 7 - 3, of the output's gradient
(3 i) mod 5 - 2.
"""
import json

import torch
import torch.nn.functional as F


def pattern(shape, a, m):
    n = 1
    for s in shape:
        n *= s
    return ((torch.arange(n) * a) % m - m // 2).float().reshape(shape)


def case(kind, h, w, f, weights=None):
    x = pattern((2, 3, h, w), 7, 11).requires_grad_()
    params = [pattern(weights, 5, 7).requires_grad_()] if weights else []
    y = f(x, *params)
    y.backward(pattern(y.shape, 3, 5))
    c = {"kind": kind, "h": h, "w": w, "oh": y.shape[2], "ow": y.shape[3], "y": y.flatten().tolist(), "dx": x.grad.flatten().tolist()}
    if params:
        c["dw"] = params[0].grad.flatten().tolist()
    return c


cases = []
for h, w in [(5, 7), (6, 4), (2, 3)]:
    for stride in (1, 2):
        cases.append(case(f"conv3x3/{stride}", h, w, lambda x, p: F.conv2d(x, p, stride=stride, padding=1), (2, 3, 3, 3)))
    cases.append(case("conv1x1/1", h, w, F.conv2d, (2, 3, 1, 1)))
    cases.append(case("mean2x2", h, w, lambda x: F.avg_pool2d(x, 2, 1, 0, False, True)))
    cases.append(case("max3x3/2", h, w, lambda x: F.max_pool2d(x, 3, 2, 1)))
    cases.append(case("max5x5/1", h, w, lambda x: F.max_pool2d(x, 5, 1, 2)))
    for oh, ow in [(4 * h, 3 * w), (h + 2, w - 1)]:
        cases.append(case("nearest", h, w, lambda x: F.interpolate(x, size=(oh, ow), mode="nearest")))

with open("torch.json", "w") as f:
    f.write('{"torch": "%s", "cases": [\n' % torch.__version__.split("+")[0])
    f.write(",\n".join(json.dumps(c) for c in cases).replace(".0", ""))
    f.write("\n]}\n")
