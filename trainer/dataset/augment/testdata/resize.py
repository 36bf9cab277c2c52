"""Writes resize.json: pictures resized by PyTorch, bilinear, without align_corners and antialias.

    pip install torch && python resize.py

Value i of the picture of 8 x 8 pixels, by rows, RGB interleaved, is (37 i mod 256) / 255.
"""
import json

import torch
import torch.nn.functional as F

SIZE = 8
x = ((torch.arange(SIZE * SIZE * 3) * 37) % 256).float().div(255).reshape(1, SIZE, SIZE, 3).permute(0, 3, 1, 2)
cases = {}
for side in [4, 5, 8, 12, 15]:
    y = F.interpolate(x, size=[side, side], mode="bilinear", align_corners=False)
    cases[side] = [round(v, 7) for v in y.permute(0, 2, 3, 1).flatten().tolist()]
with open("resize.json", "w") as f:
    json.dump({"torch": torch.__version__, "sides": cases}, f)
    f.write("\n")
