"""Writes official.json: what the official YOLOv9 says of each model, for spec_test.go.

    python gen.py CHECKOUT > official.json

CHECKOUT is a clone of github.com/WongKinYiu/yolov9 (commit 5b1ea9a when the file was written); PyTorch (2.15.0) must be
installed. For each model: number of tensors in the state dict and SHA-256 of its sorted lines "name 1,2,3" at 80
classes; parameters at 80 and 3 classes as they train and fused; multiply-adds of the convolutions for one image of
64 x 64 pixels at 80 classes in training form and, where there is no auxiliary part, fused.
"""

import hashlib
import importlib.abc
import importlib.machinery
import io
import json
import contextlib
import logging
import sys
from unittest import mock


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for packages that the official code imports and that these figures do not need."""

    names = {"pkg_resources", "pandas", "matplotlib", "seaborn", "cv2", "torchvision", "IPython", "psutil", "requests",
             "thop", "tqdm", "scipy", "PIL", "git", "tensorboard", "albumentations", "ultralytics"}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        m = mock.MagicMock(name=spec.name)
        m.__path__, m.__spec__, m.__version__ = [], spec, "99.0"
        m.parse_version = lambda version: 0  # every version is new enough
        return m

    def exec_module(self, module):
        pass


checkout = sys.argv[1]
sys.meta_path.insert(0, Absent())
sys.path.insert(0, checkout)

import torch  # noqa: E402

with contextlib.redirect_stdout(io.StringIO()):
    from models.yolo import DetectionModel  # noqa: E402
logging.disable(logging.CRITICAL)


def build(name, classes):
    with contextlib.redirect_stdout(io.StringIO()):
        return DetectionModel(f"{checkout}/models/detect/{name}.yaml", ch=3, nc=classes)


def params(model):
    return sum(p.numel() for p in model.parameters())


def multiply_adds(model):
    total = 0

    def count(m, x, y):
        nonlocal total
        if m.weight.requires_grad:  # not the expectation over the bins
            total += m.weight.numel() * y.shape[2] * y.shape[3]

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    with torch.no_grad():
        model(torch.zeros(1, 3, 64, 64))
    for h in hooks:
        h.remove()
    return total


out = {}
for name in [a + b for a in ("gelan-", "yolov9-") for b in "tsmce"]:
    figures = {}
    for classes in (80, 3):
        model = build(name, classes)
        model.train()
        figures[f"params{classes}"] = params(model)
        if classes == 80:
            lines = sorted(f"{k} {','.join(map(str, v.shape))}" for k, v in model.state_dict().items())
            figures["tensors"] = len(lines)
            figures["sha256"] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
            model.eval()  # batch statistics of one pixel cannot be trained on
            figures["multiply_adds"] = multiply_adds(model)
        model.eval()
        with contextlib.redirect_stdout(io.StringIO()):
            model.fuse()
        figures[f"fused{classes}"] = params(model)
        if classes == 80 and name.startswith("gelan"):
            for p in model.parameters():  # fused ones are not learned
                p.requires_grad_(True)
            model.model[-1].dfl.conv.weight.requires_grad_(False)
            figures["fused_multiply_adds"] = multiply_adds(model)
    out[name] = figures
json.dump(out, sys.stdout, indent=1)
print()
