#!/usr/bin/env python3
"""Prints the parameters of every model for 80 and for 3 classes, the fixed numbers of the box expectation included."""
from family import MODELS, Family
from nano import Nano

for name in MODELS:
    print(name, *(sum(p.numel() for p in Family(name, nc).parameters()) for nc in (80, 3)))
print('gelan-n', *(sum(p.numel() for p in Nano(nc).parameters()) for nc in (80, 3)))
