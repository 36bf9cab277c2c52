"""SGD in the groups of the reference trainers, its rates over a run, clipping, and the average of weights, in PyTorch."""
import math

import torch
from torch import nn


def sgd(model, rate, momentum, decay, fused=False, shifts='bias'):
    """Nesterov momentum; decay on convolution weights only. The groups are bias, weight and norm; shifts is the one of the
    shifts of batch normalisation, bias or norm."""
    norms = {id(p) for m in model.modules() if isinstance(m, nn.BatchNorm2d) for p in ((m.weight, m.bias) if shifts == 'norm' else (m.weight,))}
    groups = dict(bias=[], weight=[], norm=[])
    for name, p in model.named_parameters():
        if p.requires_grad:
            groups['norm' if id(p) in norms else 'bias' if name.endswith('bias') else 'weight'].append(p)
    return torch.optim.SGD([dict(params=p, weight_decay=decay if k == 'weight' else 0.0) for k, p in groups.items()],
                           lr=rate, momentum=momentum, nesterov=True, fused=fused)


def set_rates(opt, step, steps, warmup, k):
    """Rates of sgd's groups and momentum at a step, from 0: on a line from lr0 to lr0 x lrf over the run, and during
    warm-up, which may end between steps, on a line towards that from 0, for biases from warmup_bias_lr; momentum from
    warmup_momentum. k are the knobs."""
    rate = k['lr0'] * (1 - step / steps * (1 - k['lrf']))
    share = min(step / warmup, 1) if warmup > 0 else 1
    for i, g in enumerate(opt.param_groups):
        first = k['warmup_bias_lr'] if i == 0 else 0.0
        g['lr'] = first + (rate - first) * share
        g['momentum'] = k['warmup_momentum'] + (k['momentum'] - k['warmup_momentum']) * share


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
