#!/usr/bin/env python3
"""Writes the files that weights_test.go reads, with PyTorch and safetensors (made with torch 2.15.0, safetensors 0.8):

  module.pt    a checkpoint as the official trainers leave it: nested modules in half precision under "ema"
  state.pt     a state dict of several types, with tensors that share memory or are transposed
  *.safetensors  what PyTorch itself reads from these
"""
import argparse, copy, sys, types

import numpy, torch
from safetensors.torch import save_file
from torch import nn

models = types.ModuleType('models')
models.tiny = types.ModuleType('models.tiny')
sys.modules |= {'models': models, 'models.tiny': models.tiny}


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.SiLU()), nn.Conv2d(4, 2, 1))
        self.register_buffer('kept', torch.arange(3.0))
        self.register_buffer('transient', torch.ones(5), persistent=False)
        self.register_parameter('none', None)
        self.names, self.stride, self.yaml = {0: 'a', 1: 'b'}, torch.tensor([8.0, 16.0]), {'nc': 2, 'depth': 1.0}


Detector.__module__, Detector.__qualname__ = 'models.tiny', 'Detector'
models.tiny.Detector = Detector
torch.manual_seed(1)
m = Detector()
ema = copy.deepcopy(m)
for p in ema.parameters():
    p.data += 0.125
ema.half()
optimizer = torch.optim.SGD(m.parameters(), 0.1)
torch.save(dict(epoch=3, best_fitness=numpy.array([0.5]), fitness=numpy.float64(0.5), model=m, ema=ema, updates=4,
                optimizer=optimizer.state_dict(), opt=argparse.Namespace(lr=0.1, imgsz=320), date=None), 'module.pt')
save = lambda state, path: save_file({k: (v.float() if v.dtype == torch.float64 else v.long() if v.dtype in (torch.int32, torch.bool, torch.uint8, torch.int16, torch.int8) else v).contiguous().clone() for k, v in state.items()}, path)
save(ema.state_dict(), 'module.safetensors')

base = torch.arange(24.0).reshape(4, 6) / 7
state = dict(whole=base, turned=base.T, row=base[2], inner=base[1:3, 2:5], one=torch.tensor(2.5), empty=torch.zeros(0, 3),
             half=torch.tensor([1.0, -2.5, 65504, 6e-8, 1e-5], dtype=torch.float16),
             brain=torch.tensor([1.0, -2.5, 3e38], dtype=torch.bfloat16), double=torch.tensor([1 / 3], dtype=torch.float64),
             long=torch.tensor([1, -2, 2 ** 40]), int=torch.tensor([-7], dtype=torch.int32), bool=torch.tensor([True, False]))
torch.save(state, 'state.pt')
save(state, 'state.safetensors')
