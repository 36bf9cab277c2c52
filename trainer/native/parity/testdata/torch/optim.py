"""SGD in the groups of the reference trainers, clipping, and the average of weights, in PyTorch."""
import math

import torch
from torch import nn


def sgd(model, rate, momentum, decay, fused=False):
    """Nesterov momentum; decay on convolution weights only."""
    norms = {id(m.weight) for m in model.modules() if isinstance(m, nn.BatchNorm2d)}
    groups = dict(bias=[], weight=[], norm=[])
    for name, p in model.named_parameters():
        if p.requires_grad:
            groups['bias' if name.endswith('bias') else 'norm' if id(p) in norms else 'weight'].append(p)
    return torch.optim.SGD([dict(params=p, weight_decay=decay if k == 'weight' else 0.0) for k, p in groups.items()],
                           lr=rate, momentum=momentum, nesterov=True, fused=fused)


def clip(model, limit):
    return torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], limit, foreach=True)


class Average:
    """Exponential moving average of everything floating in the state dict; decay grows with the updates."""

    def __init__(self, model, decay=0.9999, tau=2000):
        self.state = {k: v.clone() for k, v in model.state_dict().items()}
        self.decay, self.tau, self.updates = decay, tau, 0

    @torch.no_grad()
    def move(self, model):
        self.updates += 1
        d = self.decay * (1 - math.exp(-self.updates / self.tau))
        for k, v in model.state_dict().items():
            if v.dtype.is_floating_point:
                self.state[k].mul_(d).add_(v, alpha=1 - d)
