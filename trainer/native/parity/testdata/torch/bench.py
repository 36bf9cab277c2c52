#!/usr/bin/env python3
"""Times training steps (forward, loss, backward, clipping, SGD) of one network in PyTorch, as the Go side asks for them.

  bench.py MODEL SIZE BATCH CLASSES THREADS

Reads lines "VARIANT STEPS" and answers each with the seconds of a step. A variant is made and warmed up when it is first
asked for with 0 steps. Variants: nchw; channels_last; compile (torch.compile on channels_last); bf16 (autocast on
channels_last)."""
import sys, time

import torch

import family, loss, nano, optim, scene

name, (size, batch, classes, threads) = sys.argv[1], map(int, sys.argv[2:])
torch.set_num_threads(threads)
truths = scene.objects(batch, size, classes, 4)


class Variant:
    def __init__(self, kind):
        torch.manual_seed(1)
        self.net = nano.Nano(classes) if name == 'gelan-n' else family.Family(name, classes)
        self.x, self.bf16 = scene.images(batch, size, 3), kind == 'bf16'
        if kind != 'nchw':
            self.net, self.x = self.net.to(memory_format=torch.channels_last), self.x.contiguous(memory_format=torch.channels_last)
        self.opt = optim.sgd(self.net, 0.001, 0.937, 0.0005, fused=True)
        self.run = torch.compile(self.net) if kind == 'compile' else self.net
        for _ in range(2):
            self.step()

    def step(self):
        self.opt.zero_grad()
        with torch.autocast('cpu', torch.bfloat16, enabled=self.bf16):
            heads = self.run(self.x)
        head = self.net.head
        value, _ = loss.total_loss([[x.float() for x in h] for h in heads], head.strides, head.bins, truths)
        value.backward()
        optim.clip(self.net, 10.0)
        self.opt.step()


made = {}
for line in sys.stdin:
    kind, steps = line.split()
    v = made.get(kind) or made.setdefault(kind, Variant(kind))
    start = time.perf_counter()
    for _ in range(int(steps)):
        v.step()
    print((time.perf_counter() - start) / max(int(steps), 1), flush=True)
