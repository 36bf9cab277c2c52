#!/usr/bin/env python3
"""Writes what PyTorch makes of one network, for the Go test beside: inputs, weights, outputs, assignments, losses,
gradients, and weights after some steps.

  fixture.py MODEL OUT.safetensors [--size 64] [--batch 2] [--classes 3] [--steps 10] [--rate 0.002] [--seed 1] [--rule claimers]

Names in the file: "images" N,H,W,3; "truths" rows of image, class, corners in pixels; start/NAME (parameters and
statistics) and then, computed in float64 under "64/" and in float32 under "32/": HEAD/box N,A,4R and HEAD/class N,A,K,
HEAD/owner (I64) and HEAD/score N,A, HEAD/parts (box, class, dfl before gains), loss, norm, grad/NAME, end/NAME and
average/NAME. HEAD is "aux" or "main". "settings" of the metadata holds everything else as JSON.

The rate matters: fresh networks of 60 and more normalised layers magnify rounding a thousandfold, so that at usual rates
ten steps of float32 and of float64 have nothing in common. At 0.00002 they can be compared."""
import argparse, json

import torch
from safetensors.torch import save_file

import family, loss, nano, optim, scene

ap = argparse.ArgumentParser()
ap.add_argument('model')
ap.add_argument('out')
for key, default in dict(size=64, batch=2, classes=3, steps=10, seed=1).items():
    ap.add_argument('--' + key, type=int, default=default)
ap.add_argument('--rate', type=float, default=0.002)
ap.add_argument('--rule', default='claimers')
args = ap.parse_args()
MOMENTUM, DECAY, CLIP = 0.937, 0.0005, 10.0
torch.manual_seed(args.seed)
torch.set_num_threads(1)


def build():
    name = args.model
    return nano.Nano(args.classes, name.endswith('+aux')) if name.startswith('gelan-n') else family.Family(name, args.classes)


def named(tensors):
    """By the names that the Go side uses, without what it does not have."""
    for name, v in tensors:
        name = nano.own_name(name) if args.model.startswith('gelan-n') else name
        if name and v is not None and v.is_floating_point() and '.dfl' not in name:
            yield name, v.detach()


def run(model, images, truths, into):
    model.train()
    head = model.head
    opt, average = optim.sgd(model, args.rate, MOMENTUM, DECAY), optim.Average(model)
    for step in range(args.steps):
        opt.zero_grad()
        heads = model(images)
        value, found = loss.total_loss(heads, head.strides, head.bins, truths, args.rule)
        value.backward()
        if step == 0:
            for name, levels, (parts, owner, score) in zip(('aux', 'main')[-len(heads):], heads, found):
                box, cls = loss.dense(levels, head.bins)
                into(name + '/box', box.flatten(2))
                into(name + '/class', cls)
                into(name + '/owner', owner)
                into(name + '/score', score)
                into(name + '/parts', torch.stack([parts[k] for k in ('box', 'cls', 'dfl')]))
            into('loss', value)
            for k, v in named((k, p.grad) for k, p in model.named_parameters()):
                into('grad/' + k, v)
        norm = optim.clip(model, CLIP)
        if step == 0:
            into('norm', norm)
        opt.step()
        average.move(model)
    for k, v in named(model.state_dict().items()):
        into('end/' + k, v)
    for k, v in named(average.state.items()):
        into('average/' + k, v)


base = build()
scene.disturb(base, args.seed + 1)
images, truths = scene.images(args.batch, args.size, args.seed + 2), scene.objects(args.batch, args.size, args.classes, args.seed + 3)
file = {'images': images.permute(0, 2, 3, 1), 'truths': truths}
file |= {'start/' + k: v for k, v in named(base.state_dict().items())}
for prefix, dtype in (('64/', torch.float64), ('32/', torch.float32)):
    model = build().to(dtype)
    model.load_state_dict(base.state_dict())

    def into(name, v):
        file[prefix + name] = v.detach().clone() if v.dtype == torch.int64 else v.detach().float().clone()
    run(model, images.to(dtype), truths.to(dtype), into)

settings = dict(vars(args), momentum=MOMENTUM, decay=DECAY, clip=CLIP, gains=loss.GAINS, aux=loss.AUX,
                bins=base.head.bins, torch=torch.__version__)
save_file({k: v.contiguous() for k, v in file.items()}, args.out, dict(settings=json.dumps(settings)))
