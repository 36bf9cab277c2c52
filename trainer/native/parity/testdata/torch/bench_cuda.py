#!/usr/bin/env python3
"""Times training steps (forward, assignment and loss on the device, backward, clipping, SGD, moving average) of one network
in PyTorch, as the Go side asks for them. The batch lies on the device.

  bench_cuda.py MODEL SIZE BATCH CLASSES [--device cuda|cpu]

First prints a line that says what PyTorch and which device these are. Then reads lines "PRECISION-MANNER STEPS" and answers
each with the seconds of a step, or "error: " and why there are none. A variant is made and warmed up when it is first asked
for. Precisions: fp32; tf32; bf16 (autocast on channels_last). Manners: eager; compile (torch.compile of network and loss);
graph (the step as a CUDA graph); compile-graph (both)."""
import argparse, sys, time

import torch

import family, nano, scene, static

parser = argparse.ArgumentParser()
parser.add_argument('model')
for name in ('size', 'batch', 'classes'):
    parser.add_argument(name, type=int)
parser.add_argument('--device', default='cuda')
a = parser.parse_args()
device = torch.device(a.device)
ROOM = 16  # objects of a picture
if device.type == 'cuda' and not torch.cuda.is_available():
    print(f'error: PyTorch {torch.__version__} finds no GPU', flush=True)
    sys.exit(1)
print(f'PyTorch {torch.__version__} on', torch.cuda.get_device_name() if device.type == 'cuda' else 'the CPU', flush=True)
rows, real = static.padded(scene.objects(a.batch, a.size, a.classes, 4), a.batch, ROOM)


def make(variant):
    precision, _, manner = variant.partition('-')
    if precision not in ('fp32', 'tf32', 'bf16') or manner not in ('eager', 'compile', 'graph', 'compile-graph'):
        raise ValueError(f'no variant {variant}')
    torch.manual_seed(1)
    net = nano.Nano(a.classes) if a.model == 'gelan-n' else family.Family(a.model, a.classes)
    t = static.Trainer(net, a.size, a.batch, ROOM, device, precision, 'compile' in manner, 'graph' in manner)
    t.images.copy_(scene.images(a.batch, a.size, 3))
    t.rows.copy_(rows)
    t.real.copy_(real)
    for _ in range(5 if device.type == 'cuda' else 1):
        value = t.step()
    t.wait()
    if not torch.isfinite(value):
        raise RuntimeError(f'the loss is {float(value)}')
    return t


made = {}
for line in sys.stdin:
    variant, steps = line.split()[0], int(line.split()[1])
    try:
        t = made.get(variant) or made.setdefault(variant, make(variant))
        t.wait()
        start = time.perf_counter()
        for _ in range(steps):
            t.step()
        t.wait()
        print((time.perf_counter() - start) / max(steps, 1), flush=True)
    except Exception as e:  # one manner that does not work leaves the others
        print('error:', ' '.join(f'{type(e).__name__}: {e}'.split())[:400], flush=True)
