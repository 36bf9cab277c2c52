#!/usr/bin/env python3
"""Trains one network in PyTorch on batches that come from outside, as the Go side trains its own on the same ones.

  learn.py SETTINGS.json START.safetensors END.safetensors

START holds the initial weights and statistics by the names of the Go side; END receives the moving averages of the
trained ones by the same names. The standard input is one record a step: rows M as uint32; N x S x S x 3 pixels in
0..1 as float32; M rows of float32: image, class, corners in pixels, ordered by image. All numbers are little-endian. Each
step is answered by a line: box, cls and dfl of the main head before gains, and the norm of the gradients before clipping.

SETTINGS: model, classes, size, batch, steps (of the whole run), warmup (in steps), rule (see loss.py), threads, and knobs:
the Go side's own, resolved. Those in FIXED must have the values there."""
import json, math, sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import loss, nano, optim
from family import Family

settings_path, start_path, end_path = sys.argv[1:]
with open(settings_path) as f:
    S = json.load(f)
K, N, SIZE = S['knobs'], S['batch'], S['size']
torch.set_num_threads(S['threads'])

FIXED = dict(schedule='linear', optimizer='SGD', nominal_batch=0, freeze=0, cls_pw=1, fl_gamma=0, label_smoothing=0,
             tal_topk=10, tal_alpha=0.5, tal_beta=6, aux_assign='own', ema=True)
for key, value in FIXED.items():
    assert K[key] == value, f'{key} is {K[key]}: only {value} is trained here'
loss.GAINS.update(box=K['box'], cls=K['cls'], dfl=K['dfl'])
loss.AUX = K['aux']

own = S['model'] == 'gelan-n'  # the project's small detector, with names of its own
net = nano.Nano(S['classes'], K['aux'] > 0) if own else Family(S['model'], S['classes'])
net.train()
rename = nano.own_name if own else lambda name: name


def named(state):
    """By the names of the Go side, without what it does not have."""
    return {rename(k): v for k, v in state.items() if rename(k) and v.is_floating_point() and '.dfl' not in k}


start, mine = load_file(start_path), named(net.state_dict())
assert start.keys() == mine.keys(), sorted(start.keys() ^ mine.keys())
with torch.no_grad():
    for name, v in mine.items():
        v.copy_(start[name])

groups = optim.sgd(net, K['lr0'], K['momentum'], K['weight_decay'], shifts='norm' if own else 'bias')
average = optim.Average(net, K['ema_decay'], K['ema_tau'])


def take(count):
    data = sys.stdin.buffer.read(count)
    if len(data) != count:
        raise EOFError(f'{len(data)} bytes for {count}')
    return data


def numbers(*shape):
    return torch.from_numpy(np.frombuffer(take(4 * math.prod(shape)), '<f4').reshape(shape).copy())


for step in range(S['steps']):
    rows = int(np.frombuffer(take(4), '<u4')[0])
    images, truths = numbers(N, SIZE, SIZE, 3).permute(0, 3, 1, 2).contiguous(), numbers(rows, 6)
    optim.set_rates(groups, step, S['steps'], S['warmup'], K)
    groups.zero_grad()
    value, found = loss.total_loss(net(images), net.head.strides, net.head.bins, truths, S['rule'])
    value.backward()
    norm = optim.clip(net, K['clip_norm'])
    groups.step()
    average.move(net)
    part = found[-1][0]
    print(*(float(part[k]) for k in ('box', 'cls', 'dfl')), float(norm), flush=True)

save_file({k: v.contiguous().clone() for k, v in named(average.state).items()}, end_path)
