"""The blocks of the GELAN / YOLOv9 family in PyTorch, for tests. Names of submodules are those of the official state
dict (cv1, cv2, m.0, conv1 ...), so that weights go both ways. Shapes: N images, C channels, H x W pixels, NCHW."""
import math

import torch
from torch import nn
from torch.nn import functional as F

EPS, MOMENTUM = 1e-3, 0.03  # of batch normalisation


class Conv(nn.Module):
    """Convolution without bias, batch normalisation, SiLU (or nothing). Padding k//2."""

    def __init__(self, c1, c2, k=1, s=1, groups=1, act=True):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, k, s, k // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(c2, EPS, MOMENTUM)
        self.act = act

    def forward(self, x):
        y = self.bn(self.conv(x))
        return F.silu(y) if self.act else y


class RepConv(nn.Module):
    """SiLU of the sum of a 3x3 and a 1x1 convolution, each normalised by itself."""

    def __init__(self, c1, c2):
        super().__init__()
        self.conv1, self.conv2 = Conv(c1, c2, 3, act=False), Conv(c1, c2, 1, act=False)

    def forward(self, x):
        return F.silu(self.conv1(x) + self.conv2(x))


class RepBottleneck(nn.Module):
    """x + 3x3 conv of RepConv of x, at equal width."""

    def __init__(self, c):
        super().__init__()
        self.cv1, self.cv2 = RepConv(c, c), Conv(c, c, 3)

    def forward(self, x):
        return x + self.cv2(self.cv1(x))


class RepCSP(nn.Module):
    """1x1 of (n bottlenecks on 1x1 of x, 1x1 of x), hidden width c2/2."""

    def __init__(self, c1, c2, n):
        super().__init__()
        h = c2 // 2
        self.cv1, self.cv2, self.cv3 = Conv(c1, h), Conv(c1, h), Conv(2 * h, c2)
        self.m = nn.Sequential(*(RepBottleneck(h) for _ in range(n)))

    def forward(self, x):
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class Aggregation(nn.Module):
    """1x1 to c3; two stages in a row on its second half; 1x1 of (both halves, both stages)."""

    def __init__(self, c1, c2, c3, stage1, stage2, c4):
        super().__init__()
        self.cv1, self.cv2, self.cv3, self.cv4 = Conv(c1, c3), stage1, stage2, Conv(c3 + 2 * c4, c2)

    def forward(self, x):
        a, b = self.cv1(x).chunk(2, 1)
        u = self.cv2(b)
        return self.cv4(torch.cat((a, b, u, self.cv3(u)), 1))


def ELAN1(c1, c2, c3, c4):
    return Aggregation(c1, c2, c3, Conv(c3 // 2, c4, 3), Conv(c4, c4, 3), c4)


def RepNCSPELAN4(c1, c2, c3, c4, n):
    stage = lambda c: nn.Sequential(RepCSP(c, c4, n), Conv(c4, c4, 3))
    return Aggregation(c1, c2, c3, stage(c3 // 2), stage(c4), c4)


class AConv(nn.Module):
    """2x2 average at stride 1, then 3x3 at stride 2."""

    def __init__(self, c1, c2):
        super().__init__()
        self.cv1 = Conv(c1, c2, 3, 2)

    def forward(self, x):
        return self.cv1(F.avg_pool2d(x, 2, 1))


class ADown(nn.Module):
    """2x2 average at stride 1; first half of the channels: 3x3 at stride 2; second: 3x3 maximum at stride 2 and 1x1."""

    def __init__(self, c1, c2):
        super().__init__()
        self.cv1, self.cv2 = Conv(c1 // 2, c2 // 2, 3, 2), Conv(c1 // 2, c2 // 2)

    def forward(self, x):
        a, b = F.avg_pool2d(x, 2, 1).chunk(2, 1)
        return torch.cat((self.cv1(a), self.cv2(F.max_pool2d(b, 3, 2, 1))), 1)


class SPPELAN(nn.Module):
    """1x1, three 5x5 maxima in a row, 1x1 of all four."""

    def __init__(self, c1, c2, c3):
        super().__init__()
        self.cv1, self.cv5 = Conv(c1, c3), Conv(4 * c3, c2)

    def forward(self, x):
        y = [self.cv1(x)]
        for _ in range(3):
            y.append(F.max_pool2d(y[-1], 5, 1, 2))
        return self.cv5(torch.cat(y, 1))


class CBLinear(nn.Module):
    """1x1 with bias, divided into groups of the given widths."""

    def __init__(self, c1, widths):
        super().__init__()
        self.widths, self.conv = widths, nn.Conv2d(c1, sum(widths), 1)

    def forward(self, x):
        return self.conv(x).split(self.widths, 1)


class CBFuse(nn.Module):
    """Sum of the last input and one group of each other, resized to it by nearest neighbour."""

    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, xs):
        size = xs[-1].shape[2:]
        return torch.stack([F.interpolate(x[g], size=size) for g, x in zip(self.groups, xs)] + [xs[-1]]).sum(0)


class Head(nn.Module):
    """One anchor-free head at 8, 16, 32: for each level 4*bins box and nc class logits. The numbers a and b name the
    branches: cv<a> boxes, cv<b> classes."""

    def __init__(self, owner, a, b, channels, nc, bins):
        super().__init__()
        self.a, self.b = f'cv{a}', f'cv{b}'
        up4 = lambda c: (c + 3) // 4 * 4  # a multiple of the 4 groups
        box, cls = up4(max(channels[0] // 4, 4 * bins)), max(channels[0], min(2 * nc, 128))
        owner.add_module(self.a, nn.ModuleList(nn.Sequential(
            Conv(c, box, 3), Conv(box, box, 3, groups=4), nn.Conv2d(box, 4 * bins, 1, groups=4)) for c in channels))
        owner.add_module(self.b, nn.ModuleList(nn.Sequential(
            Conv(c, cls, 3), Conv(cls, cls, 3), nn.Conv2d(cls, nc, 1)) for c in channels))

    def run(self, owner, xs):
        return [torch.cat((box(x), cls(x)), 1) for x, box, cls in zip(xs, getattr(owner, self.a), getattr(owner, self.b))]


class Detect(nn.Module):
    """The heads: one (main), or two (auxiliary first, then main, each on half of the inputs). forward returns a list of
    heads, each a list of levels of shape N, 4*bins + nc, H, W."""

    strides = (8, 16, 32)

    def __init__(self, channels, nc, dual, bins=16):
        super().__init__()
        self.nc, self.bins = nc, bins
        n = len(self.strides)
        self.heads = [Head(self, 2, 3, channels[:n], nc, bins)]
        if dual:
            self.heads.append(Head(self, 4, 5, channels[n:], nc, bins))
        for name in ('dfl', 'dfl2')[:len(self.heads)]:  # part of the official state dict: the numbers 0 .. bins-1
            fixed = nn.Module()
            fixed.conv = nn.Conv2d(bins, 1, 1, bias=False).requires_grad_(False)
            fixed.conv.weight.data.copy_(torch.arange(bins).view(1, bins, 1, 1))
            self.add_module(name, fixed)
        for h in self.heads:
            for box, cls, s in zip(getattr(self, h.a), getattr(self, h.b), self.strides):
                nn.init.constant_(box[-1].bias, 1.0)
                nn.init.constant_(cls[-1].bias, math.log(5 / nc / (640 / s) ** 2))

    def forward(self, xs):
        n = len(self.strides)
        return [h.run(self, xs[i * n:(i + 1) * n]) for i, h in enumerate(self.heads)]
