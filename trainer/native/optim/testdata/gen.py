#!/usr/bin/env python3
"""Writes optim.json: rates of several schedules, a few steps of SGD with groups, clipping and averaging, and 20 of Adam and AdamW, in PyTorch.

  python gen.py > optim.json       (needs torch; made with torch 2.15.0)

Schedules are written from their definition in plain Python; SGD, Adam, AdamW, clipping and lerp are PyTorch's own, in float64.
Gradient i of step n is ((i*31 + n*17) % 23 - 11) * amplitude, first weights are ((i*7) % 13 - 6) / 10.
"""
import json, math
import torch

torch.set_default_dtype(torch.float64)


def rates(s, step):
    done = step / max(1, s['steps'])
    half = lambda x: (1 + math.cos(math.pi * x)) / 2
    left = dict(linear=1 - done, cosine=half(done), flat=1. if done < .5 else half((done - .5) / .5), fixed=1.)[s['shape']]
    lr = s['lr0'] * (1 if s['shape'] == 'fixed' else left * (1 - s['lrf']) + s['lrf'])
    if step >= s['warmup']: return [lr, lr, s['momentum']]
    z = step / s['warmup']
    mix = lambda a, b: a + (b - a) * z
    return [mix(0, lr), mix(s['bias'], lr), mix(s['wmom'], s['momentum'])]


base = dict(lr0=0.02, lrf=0.01, shape='linear', momentum=0.937, warmup=48.0, wmom=0.8, bias=0.1, steps=320)
schedules = []
for change in ({}, dict(shape='cosine'), dict(warmup=0.0), dict(warmup=7.5, steps=30, lrf=1.0), dict(lr0=0.001, bias=0.0, shape='cosine', lrf=0.2),
               dict(shape='flat'), dict(shape='flat', warmup=200.0), dict(shape='fixed')):
    s = dict(base, **change)
    at = sorted({0, 1, int(s['warmup']) - 1, int(s['warmup']), int(s['warmup']) + 1, s['steps'] // 2, s['steps'] * 3 // 4, s['steps'] - 1} - {-1})
    schedules.append(dict(s, at=at, rates=[rates(s, k) for k in at]))

average = [[d, t, n, 1 - d * (1 - math.exp(-n / t))] for d, t in ((0.9999, 2000), (0.99, 50)) for n in (1, 2, 320, 20000)]

sizes, decay, clip, steps = [20, 7, 5], 0.05, 4.0, 6                           # weights, batch normalisation, biases
total = sum(sizes)
w = torch.tensor([((i * 7) % 13 - 6) / 10 for i in range(total)])
groups = [p.clone().requires_grad_() for p in w.split(sizes)]
opt = torch.optim.SGD([dict(params=[groups[0]], weight_decay=decay), dict(params=[groups[1]], weight_decay=0.), dict(params=[groups[2]], weight_decay=0.)],
                      lr=0.1, momentum=0.9, nesterov=True)
ema = w.clone(); norms = []
small = dict(base, lr0=0.1, warmup=3.0, steps=steps)
for n in range(steps):
    g = torch.tensor([((i * 31 + n * 17) % 23 - 11) * (0.5 if n % 2 else 0.02) for i in range(total)])
    for p, q in zip(groups, g.split(sizes)): p.grad = q.clone()
    norms.append(float(torch.nn.utils.clip_grad_norm_(groups, clip)))
    r = rates(small, n)
    for k, gr in enumerate(opt.param_groups): gr['lr'] = r[1] if k == 2 else r[0]; gr['momentum'] = r[2]
    opt.step()
    ema.lerp_(torch.cat([p.detach() for p in groups]), 1 - 0.9 * (1 - math.exp(-(n + 1) / 2)))


def accumulate(step, warmup, batch, nominal):
    ratio = nominal / batch
    return max(1, round(1 + (ratio - 1) * step / warmup if step < warmup else ratio))    # Python rounds halves to even


accumulation = [[s, w, b, n, accumulate(s, w, b, n)] for w in (0.0, 100.0) for b, n in ((16, 64), (8, 64), (24, 64), (128, 64), (1, 64), (48, 72))
                for s in (0, 1, 20, 50, 99, 100, 101)]


def adam(kind, **options):
    groups = [p.clone().requires_grad_() for p in w.split(sizes)]
    opt = kind([dict(params=[groups[0]], weight_decay=decay), dict(params=[groups[1]], weight_decay=0.), dict(params=[groups[2]], weight_decay=0.)],
               lr=0.1, betas=(0.9, 0.999), **options)
    for n in range(20):
        big = 0.5 if n < 4 or n % 5 == 0 else 0.02                             # squares fall after the start, so that amsgrad matters
        g = torch.tensor([((i * 31 + n * 17) % 23 - 11) * big for i in range(total)])
        for p, q in zip(groups, g.split(sizes)): p.grad = q.clone()
        torch.nn.utils.clip_grad_norm_(groups, clip)
        r = rates(dict(small, lr0=0.05, steps=20), n)
        for k, gr in enumerate(opt.param_groups): gr['lr'] = r[1] if k == 2 else r[0]
        opt.step()
    return num(torch.cat([p.detach() for p in groups]).tolist())


num = lambda t: [float('%.10g' % x) for x in t]
print(json.dumps(dict(schedules=schedules, average=average, sgd=dict(sizes=sizes, decay=decay, clip=clip, steps=steps, schedule=small, norms=num(norms),
      weights=num(torch.cat([p.detach() for p in groups]).tolist()), average=num(ema.tolist())),
      accumulation=accumulation, adamw=dict(schedule=dict(small, lr0=0.05, steps=20), plain=adam(torch.optim.AdamW), amsgrad=adam(torch.optim.AdamW, amsgrad=True), l2=adam(torch.optim.Adam))), indent=None, separators=(',', ':')))
