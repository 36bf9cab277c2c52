"""The detection loss of loss.py in fixed shapes, without waiting for the device, so that a whole step can be captured and
compiled; and that step. Legend: N images, A anchor points of all levels in a row, R bins a side, K classes, M room for
objects of an image.

  static.py      compares it with loss.py on random heads"""
import contextlib, sys

import torch
from torch.nn import functional as F

import loss, optim


def padded(truths, n, room):
    """Truths (rows of image, class, corners, ordered by image) as N, M, 5, and N, M: which are there."""
    rows, real = torch.zeros(n, room, 5), torch.zeros(n, room, dtype=torch.bool)
    for i in range(n):
        mine = truths[truths[:, 0] == i, 1:]
        assert len(mine) <= room, f'{len(mine)} objects in a picture, room for {room}'
        rows[i, :len(mine)], real[i, :len(mine)] = mine, True
    return rows, real


@torch.no_grad()
def assign(box, prob, at, rows, real, topk=10, alpha=0.5, beta=6.0):
    """As loss.assign with rule 'claimers': which object N, A, whether there is one N, A, and score N, A."""
    g, here = rows[:, :, None, 1:], real[..., None]
    inside = (torch.cat((at - g[..., :2], g[..., 2:] - at), -1).amin(-1) > 1e-9) & here
    overlap = loss.ciou(box[:, None], g).clamp(0) * here
    of_class = rows[:, :, 0].long()[:, None].expand(-1, len(at), -1)
    metric = prob.gather(2, of_class).transpose(1, 2) ** alpha * overlap ** beta
    value, which = (metric * inside).topk(min(topk, len(at)))
    claims = torch.zeros_like(inside).scatter(2, which, value > 1e-9)
    best = torch.where(claims, overlap, -1.0).argmax(1, keepdim=True)
    chosen = torch.arange(rows.shape[1], device=rows.device)[None, :, None] == best
    claims = torch.where(claims.sum(1, keepdim=True) > 1, chosen, claims)
    metric, overlap = metric * claims, overlap * claims
    norm = metric * overlap.amax(2, keepdim=True) / (metric.amax(2, keepdim=True) + 1e-9)
    return claims.int().argmax(1), claims.any(1), norm.amax(1)


def head_loss(levels, at, stride, bins, rows, real):
    """The gained sum of one head, before it is multiplied by N."""
    box, cls = loss.dense(levels, bins)
    n, a, _ = cls.shape
    far = box.softmax(-1) @ torch.arange(bins, device=box.device, dtype=box.dtype) * stride[:, None]
    corners = torch.cat((at - far[..., :2], at + far[..., 2:]), -1)
    object_, there, score = assign(corners.detach(), cls.detach().sigmoid(), at, rows, real)
    total, w = score.sum().clamp(min=1), score * there
    mine = rows.gather(1, object_[..., None].expand(-1, -1, 5))
    target = torch.zeros_like(cls).scatter(2, mine[..., :1].long(), w[..., None])
    want = mine[..., 1:]
    t = (torch.cat((at - want[..., :2], want[..., 2:] - at), -1) / stride[:, None]).clamp(0, bins - 1.01)
    left = t.floor()
    logp = box.log_softmax(-1)
    pick = lambda b: logp.gather(3, b.long()[..., None])[..., 0]
    ce = -(pick(left) * (left + 1 - t) + pick(left + 1) * (t - left))
    part = dict(cls=F.binary_cross_entropy_with_logits(cls, target, reduction='sum'),
                box=((1 - loss.ciou(corners, want)) * w).sum(), dfl=(ce.mean(-1) * w).sum())
    return sum(loss.GAINS[k] * v for k, v in part.items()) / total


def total_loss(heads, at, stride, bins, rows, real):
    """As loss.total_loss: N times the gained sum over heads, the auxiliary (first of two) weighing AUX."""
    n = heads[0][0].shape[0]
    weights = [loss.AUX, 1.0][-len(heads):]
    return n * sum(w * head_loss([x.float() for x in h], at, stride, bins, rows, real) for w, h in zip(weights, heads))


class Average:
    """optim.Average with all tensors moved at once. Its weight is that of an update far into a run."""

    def __init__(self, net):
        self.of = [v for v in net.state_dict().values() if v.dtype.is_floating_point]
        self.state = [v.clone() for v in self.of]

    @torch.no_grad()
    def move(self, weight=1e-4):
        torch._foreach_lerp_(self.state, self.of, weight)


class Trainer:
    """A network with its optimiser and average, on a device. precision: fp32, tf32 (both NCHW) or bf16 (autocast on
    channels_last); compiled: forward and loss go through torch.compile; captured: the step is a CUDA graph. images
    N, 3, S, S, rows and real hold the batch at hand, in place."""

    def __init__(self, net, size, batch, room, device, precision, compiled=False, captured=False, rate=0.001):
        if captured and device.type != 'cuda':
            raise RuntimeError('CUDA graphs need a GPU')
        torch.backends.cudnn.benchmark = True  # the fastest convolutions that it has
        self.device, self.precision = device, precision
        layout = torch.channels_last if precision == 'bf16' else torch.contiguous_format
        self.net = net.to(device).to(memory_format=layout).train()
        self.images = torch.zeros(batch, 3, size, size, device=device).contiguous(memory_format=layout)
        self.rows, self.real = torch.zeros(batch, room, 5, device=device), torch.zeros(batch, room, dtype=torch.bool, device=device)
        self.captured, self.graph = captured, None
        with torch.no_grad(), self.arithmetic():
            levels = self.net(self.images)[0]
        self.at, self.stride = loss.points([x.float() for x in levels], net.head.strides)
        self.bins = net.head.bins
        self.sgd, self.average = optim.sgd(self.net, rate, 0.937, 0.0005, fused=True), Average(self.net)
        self.loss = torch.compile(self.value) if compiled else self.value

    def arithmetic(self):
        tf32 = self.precision != 'fp32'  # of what stays in float32, too
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        if self.precision == 'bf16':
            return torch.autocast(self.device.type, torch.bfloat16, cache_enabled=not self.captured)
        return contextlib.nullcontext()

    def value(self, images, rows, real):
        heads = self.net(images)
        with torch.autocast(self.device.type, enabled=False):
            return total_loss(heads, self.at, self.stride, self.bins, rows, real)

    def eager(self):
        self.sgd.zero_grad(set_to_none=True)
        with self.arithmetic():
            value = self.loss(self.images, self.rows, self.real)
        value.backward()
        optim.clip(self.net, 10.0)
        self.sgd.step()
        self.average.move()
        return value.detach()

    def step(self):
        """One step on the batch at hand; its loss, on the device."""
        if not self.captured:
            return self.eager()
        if self.graph is None:
            self.capture()
        self.graph.replay()
        return self.result

    def capture(self):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.eager()
        torch.cuda.current_stream().wait_stream(side)
        self.sgd.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.result = self.eager()
        self.graph = graph

    def wait(self):
        if self.device.type == 'cuda':
            torch.cuda.synchronize()


def compare():
    """Largest relative difference of loss and gradients from loss.py, over random heads and objects."""
    worst, bins, classes, strides = 0.0, 8, 4, (8, 16, 32)
    for seed in range(6):
        g = torch.Generator().manual_seed(seed)
        n, size = 3, 64
        import scene
        truths = scene.objects(n, size, classes, seed, most=12)
        sets = [[torch.randn(n, 4 * bins + classes, size // s, size // s, generator=g).requires_grad_() for s in strides] for _ in range(1 + seed % 2)]
        leaves = [x for h in sets for x in h]
        want, _ = loss.total_loss(sets, strides, bins, truths)
        grads = torch.autograd.grad(want, leaves)
        at, stride = loss.points(sets[0], strides)
        got = total_loss(sets, at, stride, bins, *padded(truths, n, 12))
        for a, b in zip((got, *torch.autograd.grad(got, leaves)), (want, *grads)):
            worst = max(worst, float(((a - b).abs().max() / b.abs().max()).detach()))
    return worst


if __name__ == '__main__':
    found = compare()
    print(f'largest relative difference {found:.2g}')
    sys.exit(found > 1e-5)
