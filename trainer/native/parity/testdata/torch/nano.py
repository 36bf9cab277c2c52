"""gelan-n, the small detector of this project, in PyTorch. Its tensors have names of their own; NAMES maps them."""
import re

import torch
from torch import nn
from torch.nn import functional as F

from blocks import Aggregation, Conv


class Detect(nn.Module):
    """Levels at 8 and 16; box and class branch: one 3x3 convolution and a biased 1x1 each."""

    strides, width = (8, 16), 32

    def __init__(self, channels, nc, bins=8):
        super().__init__()
        self.nc, self.bins = nc, bins
        branch = lambda c, out: nn.ModuleDict(dict(conv=Conv(c, self.width, 3), out=nn.Conv2d(self.width, out, 1)))
        self.levels = nn.ModuleDict({str(s): nn.ModuleDict({'box': branch(c, 4 * bins), 'class': branch(c, nc)})
                                     for s, c in zip(self.strides, channels)})

    def forward(self, xs):
        run = lambda m, x: m['out'](m['conv'](x))
        return [torch.cat((run(m['box'], x), run(m['class'], x)), 1) for x, m in zip(xs, self.levels.values())]


class Nano(nn.Module):
    """forward returns a list of one head, or with aux of two, the auxiliary one first."""

    def __init__(self, nc, aux=False):
        super().__init__()
        elan = lambda c1, c2, h: Aggregation(c1, c2, 2 * h, Conv(h, h, 3), Conv(h, h, 3), h)
        self.s1, self.s2, self.d2, self.e2 = Conv(3, 16, 3, 2), Conv(16, 32, 3, 2), Conv(32, 64, 3, 2), elan(64, 64, 32)
        self.d3, self.e3, self.n1 = Conv(64, 96, 3, 2), elan(96, 96, 48), elan(160, 64, 32)
        self.n2, self.n3 = Conv(64, 64, 3, 2), elan(160, 96, 48)
        self.head = Detect((64, 96), nc)
        if aux:
            self.aux = Detect((64, 96), nc)

    def forward(self, x):
        p3 = self.e2(self.d2(self.s2(self.s1(x))))
        p4 = self.e3(self.d3(p3))
        n1 = self.n1(torch.cat((F.interpolate(p4, scale_factor=2), p3), 1))
        n3 = self.n3(torch.cat((self.n2(n1), p4), 1))
        main = self.head([n1, n3])
        return [self.aux([p3, p4]), main] if hasattr(self, 'aux') else [main]


def own_name(name):
    """Our name of a tensor of Nano's state dict; None for what we do not have."""
    if name.endswith('num_batches_tracked'):
        return None
    name = re.sub(r'^(head|aux)\.levels\.(\d+)\.', r'\1\2.', name)
    for k, v in (('.cv1.', '.a.'), ('.cv2.', '.u.'), ('.cv3.', '.v.'), ('.cv4.', '.out.')):
        name = name.replace(k, v)
    for k, v in (('.bn.weight', '.gamma'), ('.bn.bias', '.beta'), ('.bn.running_mean', '.mean'), ('.bn.running_var', '.var')):
        name = name.replace(k, v)
    return name.removesuffix('.conv.weight') + '.weight' if name.endswith('.conv.weight') else name
