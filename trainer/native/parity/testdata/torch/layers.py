#!/usr/bin/env python3
"""Prints, for every model and number of classes, a line of JSON with what this implementation is made of, for the Go test beside:
its layers (kind; numbers of the layers it reads, -1 being the image; arguments) and its state (name and shape of each tensor, in
order). Nothing is allocated.

  layers.py [CLASSES ...]
"""
import json, sys

import torch

from family import MODELS, Family
from nano import Nano, own_name


def rows(name):
    for i, (source, kind, *args) in enumerate(MODELS[name]):
        read = source if isinstance(source, list) else [source]
        yield dict(kind=kind, reads=[i + s if s < 0 else s for s in read], args=args)


def state(m, rename=lambda k: k):
    return [dict(name=rename(k), shape=list(v.shape)) for k, v in m.state_dict().items() if rename(k)]


with torch.device('meta'):
    for nc in map(int, sys.argv[1:]):
        for name in MODELS:
            print(json.dumps(dict(model=name, classes=nc, layers=list(rows(name)), state=state(Family(name, nc)))))
        for aux in (False, True):
            print(json.dumps(dict(model='gelan-n', classes=nc, auxiliary=aux, state=state(Nano(nc, aux), own_name))))
