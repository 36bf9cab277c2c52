"""Inputs of a comparison: images, objects, and weights that are not those of a fresh network."""
import torch
from torch import nn
from torch.nn import functional as F


def images(n, size, seed):
    """N, 3, size, size in 0..1: random fields of all scales. White noise alone would leave the deep levels almost
    constant, and batch normalisation would blow the rounding up."""
    g = torch.Generator().manual_seed(seed)
    x = sum(F.interpolate(torch.rand(n, 3, k, k, generator=g), size=(size, size), mode='bilinear') for k in (2, 4, 8, 16, size))
    return (x - x.amin()) / (x.amax() - x.amin())


def objects(n, size, nc, seed, most=5):
    """Rows of image, class, corners in pixels, ordered by image; the last image has none if there are several."""
    g = torch.Generator().manual_seed(seed)
    rows = []
    for i in range(n if n == 1 else n - 1):
        for _ in range(int(torch.randint(2, most + 1, (), generator=g))):
            u = torch.rand(4, generator=g)
            side = size * (0.15 + 0.6 * u[:2])
            low = u[2:] * (size - side)
            rows.append([i, int(torch.randint(nc, (), generator=g)), *low.tolist(), *(low + side).tolist()])
    return torch.tensor(rows)


@torch.no_grad()
def disturb(model, seed):
    """Moves scales, shifts, statistics and the biases of heads away from where a fresh network has them, and raises
    the scores of classes so that assignment has something to choose from."""
    g = torch.Generator().manual_seed(seed)
    draw = lambda t: torch.randn(t.shape, generator=g)
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.weight.add_(0.1 * draw(m.weight))
            m.bias.add_(0.1 * draw(m.bias))
            m.running_mean.add_(0.1 * draw(m.running_mean))
            m.running_var.mul_(torch.exp(0.2 * draw(m.running_var)))
        elif isinstance(m, nn.Conv2d) and m.bias is not None:
            m.bias.copy_(torch.where(m.bias < -3, -2 + 0.5 * draw(m.bias), m.bias + 0.5 * draw(m.bias)))
