"""The models of the family as tables of layers (facts: which block reads what, and its widths), and the network that
runs such a table. A row is: inputs (an index, negative: counted back; or a list of them), block, arguments."""
import torch
from torch import nn
from torch.nn import functional as F

import blocks


def small(c0, c2, c3, c4, c5, n, dual):
    """t and s: ELAN1 first, AConv between, and for dual a second neck on the same backbone."""
    rep = lambda c: ('RepNCSPELAN4', c, c, c // 2, n)
    neck = lambda p5: [(-1, 'Up'), ([-1, 6], 'Concat'), (-1, *rep(c4)), (-1, 'Up'), ([-1, 4], 'Concat'), (-1, *rep(c3))]
    rows = [(-1, 'Conv', c0, 3, 2), (-1, 'Conv', c2, 3, 2), (-1, 'ELAN1', c2, c2, c2 // 2),
            (-1, 'AConv', c3), (-1, *rep(c3)), (-1, 'AConv', c4), (-1, *rep(c4)), (-1, 'AConv', c5), (-1, *rep(c5)),
            (-1, 'SPPELAN', c5, c5 // 2)] + neck(9)
    rows += [(-1, 'AConv', c4 // 2), ([-1, 12], 'Concat'), (-1, *rep(c4)),
             (-1, 'AConv', c5 // 2), ([-1, 9], 'Concat'), (-1, *rep(c5))]
    if dual:
        rows += [(8, 'SPPELAN', c5, c5 // 2)] + neck(22) + [([28, 25, 22, 15, 18, 21], 'Dual')]
    else:
        rows += [([15, 18, 21], 'Single')]
    return rows


def large(stem, stages, neck, down, dual):
    """m and c. stages: arguments of the four backbone blocks; neck: of the blocks at P4, P3, P4, P5 and SPPELAN's two
    widths; down: the block between, with its widths in the backbone and in the neck. With dual a reversible branch."""
    o = 1 if dual else 0  # Silence stands first
    kind, widths, inner = down
    rep = lambda a: ('RepNCSPELAN4', *a, 1)
    body = [(-1, 'Conv', stem, 3, 2), (-1, 'Conv', 2 * stem, 3, 2), (-1, *rep(stages[0]))]
    path = [row for w, a in zip(widths, stages[1:]) for row in ((-1, kind, w), (-1, *rep(a)))]
    p4, p3, q4, q5, spp = neck
    rows = ([(-1, 'Silence')] if dual else []) + body + path
    rows += [(-1, 'SPPELAN', *spp), (-1, 'Up'), ([-1, 6 + o], 'Concat'), (-1, *rep(p4)),
             (-1, 'Up'), ([-1, 4 + o], 'Concat'), (-1, *rep(p3)),
             (-1, kind, inner[0]), ([-1, 12 + o], 'Concat'), (-1, *rep(q4)),
             (-1, kind, inner[1]), ([-1, 9 + o], 'Concat'), (-1, *rep(q5))]
    if not dual:
        return rows + [([15, 18, 21], 'Single')]
    out = [a[0] for a in stages[1:]]
    rows += [(5, 'CBLinear', *widths[:1]), (7, 'CBLinear', *widths[:2]), (9, 'CBLinear', *widths[:3])]
    rows += [(0, 'Conv', stem, 3, 2), (-1, 'Conv', 2 * stem, 3, 2), (-1, *rep(stages[0])),
             (-1, kind, widths[0]), ([23, 24, 25, -1], 'CBFuse', 0, 0, 0), (-1, *rep(stages[1])),
             (-1, kind, widths[1]), ([24, 25, -1], 'CBFuse', 1, 1), (-1, *rep(stages[2])),
             (-1, kind, widths[2]), ([25, -1], 'CBFuse', 2), (-1, *rep(stages[3]))]
    return rows + [([31, 34, 37, 16, 19, 22], 'Dual')]


def largest(dual):
    """e: two backbones, the second fused at five levels."""
    rep = lambda *a: ('RepNCSPELAN4', *a, 2)
    b3, b4, b5 = rep(512, 256, 128), rep(1024, 512, 256), rep(1024, 512, 256)
    rows = [(-1, 'Silence'), (-1, 'Conv', 64, 3, 2), (-1, 'Conv', 128, 3, 2), (-1, *rep(256, 128, 64)),
            (-1, 'ADown', 256), (-1, *b3), (-1, 'ADown', 512), (-1, *b4), (-1, 'ADown', 1024), (-1, *b5)]
    groups = (64, 128, 256, 512, 1024)
    rows += [(f, 'CBLinear', *groups[:i + 1]) for i, f in enumerate((1, 3, 5, 7, 9))]
    rows += [(0, 'Conv', 64, 3, 2), ([10, 11, 12, 13, 14, -1], 'CBFuse', 0, 0, 0, 0, 0),
             (-1, 'Conv', 128, 3, 2), ([11, 12, 13, 14, -1], 'CBFuse', 1, 1, 1, 1), (-1, *rep(256, 128, 64)),
             (-1, 'ADown', 256), ([12, 13, 14, -1], 'CBFuse', 2, 2, 2), (-1, *b3),
             (-1, 'ADown', 512), ([13, 14, -1], 'CBFuse', 3, 3), (-1, *b4),
             (-1, 'ADown', 1024), ([14, -1], 'CBFuse', 4), (-1, *b5)]
    neck = lambda f, p4, p3: [(f, 'SPPELAN', 512, 256), (-1, 'Up'), ([-1, p4], 'Concat'), (-1, *rep(512, 512, 256)),
                              (-1, 'Up'), ([-1, p3], 'Concat'), (-1, *rep(256, 256, 128))]
    if dual:
        rows += neck(9, 7, 5)
    k = len(rows)
    rows += neck(28, 25, 22)
    rows += [(-1, 'ADown', 256), ([-1, k + 3], 'Concat'), (-1, *rep(512, 512, 256)),
             (-1, 'ADown', 512), ([-1, k], 'Concat'), (-1, *rep(512, 1024, 512))]
    return rows + [([35, 32, 29, 42, 45, 48], 'Dual') if dual else ([35, 38, 41], 'Single')]


M = lambda dual: large(32, [(128, 128, 64), (240, 240, 120), (360, 360, 180), (480, 480, 240)],
                       [(360, 360, 180), (240, 240, 120), (360, 360, 180), (480, 480, 240), (480, 240)],
                       ('AConv', (240, 360, 480), (184, 240)), dual)  # widths are multiples of 8
C = lambda dual: large(64, [(256, 128, 64), (512, 256, 128), (512, 512, 256), (512, 512, 256)],
                       [(512, 512, 256), (256, 256, 128), (512, 512, 256), (512, 512, 256), (512, 256)],
                       ('ADown', (256, 512, 512), (256, 512)), dual)
MODELS = {}
for prefix, dual in (('gelan', False), ('yolov9', True)):
    MODELS |= {prefix + '-t': small(16, 32, 64, 96, 128, 3, dual), prefix + '-s': small(32, 64, 128, 192, 256, 3, dual),
               prefix + '-m': M(dual), prefix + '-c': C(dual), prefix + '-e': largest(dual)}


class Up(nn.Module):
    def forward(self, x):
        return F.interpolate(x, scale_factor=2)


class Concat(nn.Module):
    def forward(self, xs):
        return torch.cat(xs, 1)


class Family(nn.Module):
    """Runs a table. forward returns a list of heads (see blocks.Detect), the auxiliary one first."""

    def __init__(self, name, nc):
        super().__init__()
        self.rows, self.model, width = MODELS[name], nn.Sequential(), []
        for i, (source, kind, *args) in enumerate(self.rows):
            at = [width[(i + s) if s < 0 else s] if i + s >= 0 else 3 for s in (source if isinstance(source, list) else [source])]
            layer, out = make(kind, at, args, nc)
            self.model.append(layer)
            width.append(out)

    @property
    def head(self):
        return self.model[-1]

    def forward(self, x):
        kept = []
        for i, (layer, (source, *_)) in enumerate(zip(self.model, self.rows)):
            if isinstance(source, list):
                v = layer([kept[i + s if s < 0 else s] for s in source])
            else:
                at = i + source if source < 0 else source
                v = layer(kept[at] if at >= 0 else x)
            kept.append(v)
        return kept[-1]


def make(kind, inputs, args, nc):
    """The layer of a row and its output width; inputs are the widths read."""
    c = inputs[0]
    match kind:
        case 'Silence':
            return nn.Identity(), c
        case 'Up':
            return Up(), c
        case 'Concat':
            return Concat(), sum(inputs)
        case 'CBLinear':
            return blocks.CBLinear(c, list(args)), list(args)
        case 'CBFuse':
            return blocks.CBFuse(args), inputs[-1]
        case 'Single' | 'Dual':
            return blocks.Detect(inputs, nc, kind == 'Dual'), 0
    return getattr(blocks, kind)(c, *args), args[0]
