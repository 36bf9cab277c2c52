#!/usr/bin/env python3
"""One trial of the augmentation study as a process of PyTorch: gelan-n on pictures that lie on the device, with mosaic, mixup
and brightness made there, too. It does less than a trial of the study: no copy-paste, no RandAugment, no checkpoints, and
after each epoch the pictures of validation go through the network, but nothing is scored.

  trial.py DATA SEED EPOCHS BATCH PRECISION-MANNER MOSAIC MIXUP [--device cuda|cpu]

DATA holds, little-endian: numbers of training and validation pictures, side and classes as uint32; the pictures, N x S x S x 3
uint8; the number of objects of training as uint32; these as rows of float32: picture, class, corners in pixels, ordered by
picture. Precisions and manners are those of bench_cuda.py. Prints steps, the last loss and the seconds from its start."""
import argparse, time

start = time.perf_counter()
import numpy as np
import torch

import nano, optim, static

parser = argparse.ArgumentParser()
parser.add_argument('data')
for name in ('seed', 'epochs', 'batch'):
    parser.add_argument(name, type=int)
parser.add_argument('manner')
for name in ('mosaic', 'mixup'):
    parser.add_argument(name, type=float)
parser.add_argument('--device', default='cuda')
a = parser.parse_args()
device, precision, manner = torch.device(a.device), *a.manner.split('-', 1)
rng = np.random.default_rng(a.seed)
torch.manual_seed(a.seed)
ROOM = 96  # objects of a made picture; more are dropped

with open(a.data, 'rb') as f:
    n, m, size, classes = np.fromfile(f, '<u4', 4).tolist()
    pictures = lambda count: torch.from_numpy(np.fromfile(f, 'u1', count * size * size * 3).reshape(count, size, size, 3)).to(device)
    train, val = pictures(n), pictures(m)
    rows = np.fromfile(f, '<f4', 6 * int(np.fromfile(f, '<u4', 1)[0])).reshape(-1, 6)
objects = [rows[rows[:, 0] == i, 1:] for i in range(n)]
pixel = torch.arange(size, device=device)


def compose(first):
    """Pictures N, S, S, 3 as float 0..255 and their objects: four pictures around a point, or, by chance, one."""
    count = len(first)
    four = rng.random(count) < a.mosaic
    index = np.concatenate((first[:, None], rng.integers(0, n, (count, 3))), 1)
    at = np.where(four[:, None], rng.integers(size // 4, 3 * size // 4, (count, 2)), 0)  # x, y
    x, y = (torch.from_numpy(at[:, k]).to(device, non_blocking=True)[:, None] for k in (0, 1))
    quarter = 2 * (pixel >= y)[:, :, None] + (pixel >= x)[:, None, :]
    whole = torch.from_numpy(four).to(device, non_blocking=True)[:, None, None]
    which = torch.from_numpy(index).to(device, non_blocking=True).gather(1, (quarter * whole).flatten(1)).view_as(quarter)
    made = train[which, ((pixel - y) % size)[:, :, None], ((pixel - x) % size)[:, None, :]].float()
    found = []
    for i in range(count):
        if not four[i]:
            found.append(objects[first[i]])
            continue
        (cx, cy), parts = at[i], []
        for q in range(4):
            shift = np.array([cx - size * (1 - q % 2), cy - size * (1 - q // 2)], 'f4')
            box = objects[index[i, q]].copy()
            box[:, 1:] += np.tile(shift, 2)
            low, high = np.array([(0, cx)[q % 2], (0, cy)[q // 2]]), np.array([(cx, size)[q % 2], (cy, size)[q // 2]])
            box[:, 1:] = np.clip(box[:, 1:], np.tile(low, 2), np.tile(high, 2))
            parts.append(box[(box[:, 3] - box[:, 1] > 2) & (box[:, 4] - box[:, 2] > 2)])
        found.append(np.concatenate(parts))
    return made, found


def batch(trainer, first):
    """Puts a made batch into the trainer."""
    made, found = compose(first)
    two = rng.random(len(first)) < a.mixup
    if two.any():
        other, more = compose(rng.integers(0, n, len(first)))
        share = np.where(two, rng.beta(32, 32, len(first)), 1).astype('f4')
        s = torch.from_numpy(share).to(device, non_blocking=True)[:, None, None, None]
        made = s * made + (1 - s) * other
        found = [np.concatenate((f, g)) if t else f for f, g, t in zip(found, more, two)]
    bright = torch.from_numpy((1 + rng.uniform(-0.4, 0.4, len(first))).astype('f4')).to(device, non_blocking=True)[:, None, None, None]
    trainer.images.copy_((made * bright).clamp(0, 255).permute(0, 3, 1, 2) / 255)
    rows, real = np.zeros((len(first), ROOM, 5), 'f4'), np.zeros((len(first), ROOM), bool)
    for i, f in enumerate(found):
        k = min(len(f), ROOM)
        rows[i, :k], real[i, :k] = f[:k], True
    trainer.rows.copy_(torch.from_numpy(rows), non_blocking=True)
    trainer.real.copy_(torch.from_numpy(real), non_blocking=True)


net = nano.Nano(classes)
t = static.Trainer(net, size, a.batch, ROOM, device, precision, 'compile' in manner, 'graph' in manner, rate=0.02)
per_epoch = n // a.batch
steps, knobs = a.epochs * per_epoch, dict(lr0=0.02, lrf=0.01, warmup_bias_lr=0.02, warmup_momentum=0.8, momentum=0.937)
value, step = torch.zeros(()), 0
for epoch in range(a.epochs):
    order = rng.permutation(n)[:per_epoch * a.batch].reshape(per_epoch, a.batch)
    for first in order:
        batch(t, first)
        if t.graph is None:  # a graph keeps the rates that it was captured with
            optim.set_rates(t.sgd, step, steps, 3 * per_epoch, knobs)
        value = t.step()
        step += 1
    net.eval()
    with torch.no_grad(), t.arithmetic():
        for part in val.split(a.batch):
            levels = net(part.permute(0, 3, 1, 2).float() / 255)[-1]
            _ = [x.float().cpu() for x in levels]
    net.train()
print(f'{step} steps, loss {float(value):.3f}, {time.perf_counter() - start:.1f} s')
