#!/usr/bin/env python3
"""Measures what training keeps of every pixel of input for the backward pass, in fp32: the table "sizes" of model.go.

Start it in a checkout of the official code with a Python that runs it unpatched (torch 2.5.1 made the table):

    python .../activations.py gelan-t yolov9-t ... gelan yolov9

The models gelan and yolov9 set the default activation for all that follow, so they come last.
"""
import logging
import os
import sys

sys.path.insert(0, os.getcwd())
import torch
from models.yolo import Model

logging.disable(logging.INFO)
for name in sys.argv[1:]:
    net = Model(f"models/detect/{name}.yaml", ch=3, nc=80).train()
    weights = {p.untyped_storage().data_ptr() for p in net.parameters()}
    sizes, kept = {}, []

    def pack(t):
        s = t.untyped_storage()
        sizes[s.data_ptr()] = s.nbytes()
        kept.append(t)
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        out = net(torch.rand(2, 3, 256, 256))
    total = sum(n for at, n in sizes.items() if at not in weights)
    print(name, sum(p.numel() for p in net.parameters()), round(total / (2 * 256 * 256), 1), flush=True)
    del out, kept, net
