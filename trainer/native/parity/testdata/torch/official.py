#!/usr/bin/env python3
"""Compares this implementation with the official code: names and shapes of all tensors of all ten models, and outputs,
losses, gradients and groups of the optimiser in a training step on random weights.

  official.py CHECKOUT [--size 64]
"""
import argparse, sys

import torch

import checkout, family, loss, optim, scene

ap = argparse.ArgumentParser()
ap.add_argument('checkout')
ap.add_argument('--size', type=int, default=64)
args = ap.parse_args()
checkout.use(args.checkout)
from utils import loss_tal, loss_tal_dual
from utils.torch_utils import smart_optimizer


def relative(a, b, least=1e-30):
    return ((a - b).abs().max() / b.abs().max().clamp(min=least)).item()


def compare(name, nc=3):
    n, size = 2, args.size
    torch.manual_seed(1)
    a, b = family.Family(name, nc), checkout.model(name, nc)
    scene.disturb(a, 2)
    b.load_state_dict(a.state_dict())
    x, rows = scene.images(n, size, 3), scene.objects(n, size, nc, 4)
    a.train(), b.train()
    ours, out = a(x), b(x)
    out = out if len(ours) == 2 else [out]
    worst = max(relative(p, q) for h, k in zip(ours, out) for p, q in zip(h, k))
    targets = rows.clone()
    targets[:, 2:4], targets[:, 4:] = (rows[:, 2:4] + rows[:, 4:]) / 2 / size, (rows[:, 4:] - rows[:, 2:4]) / size
    lib = loss_tal if len(ours) == 1 else loss_tal_dual
    want, items = lib.ComputeLoss(b)(out if len(ours) == 2 else out[0], targets)
    got, found = loss.total_loss(ours, a.head.strides, a.head.bins, rows, 'all')
    want.backward(), got.backward()
    mine = dict(a.named_parameters())
    # The biases of CBLinear have no gradient but rounding, because normalisation follows: hence a least size.
    least = 1e-5 * max(p.grad.abs().max().item() for p in b.parameters() if p.grad is not None)
    grad = max(relative(mine[k].grad, p.grad, least) for k, p in b.named_parameters() if p.grad is not None)
    same = all((p.grad is None) == (mine[k].grad is None) for k, p in b.named_parameters())
    stat = max(relative(v.float(), b.state_dict()[k].float()) for k, v in a.state_dict().items())
    groups = [[sum(p.numel() for p in g['params'] if p.requires_grad) for g in o.param_groups]
              for o in (optim.sgd(a, .01, .9, 1e-3), smart_optimizer(b, 'SGD', .01, .9, 1e-3))]
    print(f'{name}: outputs {worst:.1e}, loss {got.item():.6f} {want.item():.6f} ({relative(got, want):.1e}), '
          f'gradients {grad:.1e}, same have one: {same}, statistics {stat:.1e}, groups {groups[0]} {groups[1]}, '
          f'{sum(int((o >= 0).sum()) for _, o, _ in found)} positives', flush=True)
    return worst < 1e-5 and relative(got, want) < 1e-5 and grad < 1e-3 and same and stat < 1e-5 and groups[0] == groups[1]


def names(name):
    with torch.device('meta'):
        a = {k: tuple(v.shape) for k, v in family.Family(name, 3).state_dict().items()}
    b = {k: tuple(v.shape) for k, v in checkout.model(name, 3).state_dict().items()}
    print(f'{name}: {len(a)} tensors, names, shapes and order {"equal" if list(a.items()) == list(b.items()) else "DIFFER"}', flush=True)
    return list(a.items()) == list(b.items())


good = [names(n) for n in family.MODELS]
good += [compare(n) for n in family.MODELS]
sys.exit(0 if all(good) else 'something differs')
