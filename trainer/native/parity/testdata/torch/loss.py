"""Task-aligned assignment and the detection loss, in PyTorch, from their definitions. Legend: N images, A anchor points
of all levels in a row, R bins a side, K classes, M objects."""
import math

import torch
from torch.nn import functional as F

GAINS = dict(box=7.5, cls=0.5, dfl=1.5)
AUX = 0.25  # weight of the auxiliary head


def dense(levels, bins):
    """Levels of N, 4R+K, H, W to box logits N, A, 4, R and class logits N, A, K."""
    flat = torch.cat([x.flatten(2) for x in levels], 2).transpose(1, 2)
    box, cls = flat.split((4 * bins, flat.shape[2] - 4 * bins), 2)
    return box.unflatten(2, (4, bins)), cls


def points(levels, strides):
    """Anchor centres A, 2 (x, y) and strides A, in pixels."""
    at, st = [], []
    for x, s in zip(levels, strides):
        h, w = x.shape[2:]
        ys, xs = torch.meshgrid(torch.arange(h), torch.arange(w), indexing='ij')
        at.append((torch.stack((xs, ys), -1).reshape(-1, 2).to(x) + 0.5) * s)
        st.append(torch.full((h * w,), float(s)).to(x))
    return torch.cat(at), torch.cat(st)


def ciou(a, b, eps=1e-7):
    """Complete IoU of corner boxes (Zheng et al. 2020); alpha is held constant."""
    ax0, ay0, ax1, ay1 = a.unbind(-1)
    bx0, by0, bx1, by1 = b.unbind(-1)
    inter = (torch.minimum(ax1, bx1) - torch.maximum(ax0, bx0)).clamp(0) * (torch.minimum(ay1, by1) - torch.maximum(ay0, by0)).clamp(0)
    wa, ha, wb, hb = ax1 - ax0, ay1 - ay0, bx1 - bx0, by1 - by0
    iou = inter / (wa * ha + wb * hb - inter + eps)
    diag = (torch.maximum(ax1, bx1) - torch.minimum(ax0, bx0)) ** 2 + (torch.maximum(ay1, by1) - torch.minimum(ay0, by0)) ** 2 + eps
    rho = ((ax0 + ax1 - bx0 - bx1) ** 2 + (ay0 + ay1 - by0 - by1) ** 2) / 4
    v = 4 / math.pi ** 2 * (torch.atan(wb / (hb + eps)) - torch.atan(wa / (ha + eps))) ** 2
    alpha = (v / (v - iou + 1 + eps)).detach()
    return iou - rho / diag - alpha * v


def padded(truths, n):
    """Truths (rows of image, class, corners) as N, M, 5 with M the most of one image, and N, M: their places in truths, or
    -1."""
    count = torch.bincount(truths[:, 0].long(), minlength=n)
    m = max(int(count.max()), 1)
    at = torch.arange(len(truths)) - (count.cumsum(0) - count)[truths[:, 0].long()]
    rows, place = truths.new_zeros(n, m, 5), torch.full((n, m), -1)
    rows[truths[:, 0].long(), at] = truths[:, 1:]
    place[truths[:, 0].long(), at] = torch.arange(len(truths))
    return rows, place


@torch.no_grad()
def assign(box, prob, at, rows, place, rule, topk=10, alpha=0.5, beta=6.0):
    """Targets of a batch: owner N, A (place of the object or -1) and score N, A. box N, A, 4 in pixels, prob N, A, K. A
    point that several objects claim goes to the one with the highest overlap: rule 'claimers', among those that claim it, or
    'all', among all objects of the image, as the official code has it."""
    g, real = rows[:, :, None, 1:].to(box), (place >= 0)[..., None]  # N, M, 1, 4 and N, M, 1
    inside = (torch.cat((at - g[..., :2], g[..., 2:] - at), -1).amin(-1) > 1e-9) & real  # N, M, A
    overlap = ciou(box[:, None], g).clamp(0) * real
    of_class = rows[:, :, 0].long()[:, None].expand(-1, len(at), -1)
    metric = prob.gather(2, of_class).transpose(1, 2) ** alpha * overlap ** beta
    value, which = (metric * inside).topk(min(topk, len(at)))
    claims = torch.zeros_like(inside)
    if rule == 'claimers':
        claims.scatter_(2, which, value > 1e-9)
        best = torch.where(claims, overlap, -1.0).argmax(1)
    else:
        claims.scatter_(2, which, True)
        claims &= inside
        best = overlap.argmax(1)
    several = claims.sum(1, keepdim=True) > 1
    claims = torch.where(several, F.one_hot(best, place.shape[1]).transpose(1, 2).bool(), claims)
    owner = torch.where(claims.any(1), place.gather(1, claims.int().argmax(1)), -1)
    metric, overlap = metric * claims, overlap * claims
    norm = metric * overlap.amax(2, keepdim=True) / (metric.amax(2, keepdim=True) + 1e-9)
    return owner, norm.amax(1)


def head_loss(levels, strides, bins, truths, rule='claimers'):
    """Parts box, cls, dfl before gains, and owner N, A (index into truths) and score N, A. truths: rows of image, class,
    corners in pixels, ordered by image."""
    box, cls = dense(levels, bins)
    n, a, k = cls.shape
    at, stride = points(levels, strides)
    far = box.softmax(-1) @ torch.arange(bins).to(box) * stride[:, None]
    corners = torch.cat((at - far[..., :2], at + far[..., 2:]), -1)
    owner, score = assign(corners.detach(), cls.detach().sigmoid(), at, *padded(truths, n), rule)
    total = score.sum().clamp(min=1)
    fg = owner >= 0
    target = torch.zeros_like(cls)
    i, j = fg.nonzero(as_tuple=True)
    mine = truths[owner[fg]]
    target[i, j, mine[:, 1].long()] = score[fg]
    part = dict(cls=F.binary_cross_entropy_with_logits(cls, target, reduction='sum') / total, box=cls.sum() * 0, dfl=cls.sum() * 0)
    if fg.any():
        w, want = score[fg], mine[:, 2:].to(box)
        part['box'] = ((1 - ciou(corners[fg], want)) * w).sum() / total
        p, s = at.expand(n, a, 2)[fg], stride.expand(n, a)[fg][:, None]
        t = (torch.cat((p - want[:, :2], want[:, 2:] - p), 1) / s).clamp(0, bins - 1.01)
        left = t.floor()
        logp = box[fg].log_softmax(-1)
        pick = lambda b: logp.gather(2, b.long()[..., None])[..., 0]
        ce = -(pick(left) * (left + 1 - t) + pick(left + 1) * (t - left))
        part['dfl'] = (ce.mean(1) * w).sum() / total
    return part, owner, score


def total_loss(heads, strides, bins, truths, rule='claimers'):
    """N times the gained sum over heads, the auxiliary (first of two) weighing AUX; and details of each head."""
    n = heads[0][0].shape[0]
    found = [head_loss(h, strides, bins, truths, rule) for h in heads]
    weights = [AUX, 1.0][-len(heads):]
    value = sum(w * sum(GAINS[k] * p[k] for k in GAINS) for w, (p, *_) in zip(weights, found))
    return n * value, found
