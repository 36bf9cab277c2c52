#!/usr/bin/env python3
"""Writes loss.json: assignment, loss parts and gradients of small cases, computed by PyTorch in float64.

  python gen.py > loss.json        (needs torch; made with torch 2.15.0)

Logits come from a formula that the Go test repeats, so the file holds results only: logit i of stream s is
((i*7919 + s*104729) % 2003 / 1001 - 1) * amplitude, rounded to float32. Heads: strides 8 and 16 on a square
picture, R bins, K classes. The loss is written from its definition (task-aligned assignment, CIoU with alpha
constant, distribution focal loss, binary cross-entropy) over full arrays; autograd makes the gradients.
"""
import json, math
import torch

torch.set_default_dtype(torch.float64)
GAINS = dict(box=7.5, cls=0.5, dfl=1.5)


def stream(count, s, amplitude):
    i = torch.arange(count, dtype=torch.int64)
    x = ((i * 7919 + s * 104729) % 2003).double() / 1001 - 1
    return (x * amplitude).float().double()


def points(size):
    pt, st = [], []
    for s in (8, 16):
        for y in range(size // s):
            for x in range(size // s):
                pt.append([(x + .5) * s, (y + .5) * s]); st.append(s)
    return torch.tensor(pt), torch.tensor(st, dtype=torch.float64)


def ciou(a, b, eps=1e-7):
    ax0, ay0, ax1, ay1 = a.unbind(-1); bx0, by0, bx1, by1 = b.unbind(-1)
    inter = (torch.minimum(ax1, bx1) - torch.maximum(ax0, bx0)).clamp(0) * (torch.minimum(ay1, by1) - torch.maximum(ay0, by0)).clamp(0)
    wa, ha, wb, hb = ax1 - ax0, ay1 - ay0, bx1 - bx0, by1 - by0
    iou = inter / (wa * ha + wb * hb - inter + eps)
    c2 = (torch.maximum(ax1, bx1) - torch.minimum(ax0, bx0)) ** 2 + (torch.maximum(ay1, by1) - torch.minimum(ay0, by0)) ** 2 + eps
    rho = ((ax0 + ax1 - bx0 - bx1) ** 2 + (ay0 + ay1 - by0 - by1) ** 2) / 4
    v = 4 / math.pi ** 2 * (torch.atan(wb / (hb + eps)) - torch.atan(wa / (ha + eps))) ** 2
    alpha = (v / (v - iou + 1 + eps)).detach()
    return iou - rho / c2 - alpha * v


def run(name, size, n, k, r, amp_box, amp_cls, truths, topk=10, alpha=.5, beta=6, smoothing=0., cls_pw=1., gamma=0.):
    """truths: rows of image, class, x0, y0, x1, y1."""
    pt, st = points(size); a = len(pt)
    box = stream(n * a * 4 * r, 1, amp_box).view(n, a, 4, r).requires_grad_()
    cls = stream(n * a * k, 2, amp_cls).view(n, a, k).requires_grad_()
    d = (box.softmax(-1) @ torch.arange(r).double()) * st[:, None]
    pred = torch.cat([pt - d[..., :2], pt + d[..., 2:]], -1)
    owner = -torch.ones(n, a, dtype=torch.int64); score = torch.zeros(n, a)
    with torch.no_grad():
        for img in range(n):
            mine = [j for j, t in enumerate(truths) if t[0] == img]
            if not mine: continue
            g = torch.tensor([truths[j][2:] for j in mine], dtype=torch.float32).double()
            c = [truths[j][1] for j in mine]
            ins = torch.cat([pt[None] - g[:, None, :2], g[:, None, 2:] - pt[None]], -1).amin(-1) > 1e-9      # M,A
            ov = ciou(pred[img][None], g[:, None]).clamp(0) * ins
            al = (cls[img].sigmoid()[:, c].T * ins) ** alpha * ov ** beta * ins
            pos = torch.zeros_like(al)
            for m in range(len(mine)):
                v, i = al[m].topk(min(topk, a)); pos[m, i[v > 1e-9]] = 1
            held = torch.where(pos > 0, ov, torch.tensor(-1.))
            keep = torch.zeros_like(pos); keep[held.argmax(0), torch.arange(a)] = 1
            pos = pos * keep; al = al * pos
            norm = al / (al.amax(1, keepdim=True) + 1e-9) * (ov * pos).amax(1, keepdim=True)
            fg = pos.sum(0) > 0
            owner[img][fg] = torch.tensor(mine)[pos.argmax(0)][fg]; score[img] = norm.sum(0)
    total = score.sum().clamp(min=1)
    target = torch.zeros(n, a, k); fg = owner >= 0
    if fg.any():
        ii, aa = fg.nonzero(as_tuple=True)
        target[ii, aa, torch.tensor([truths[j][1] for j in owner[fg].tolist()])] = score[fg]
    target = smoothing / 2 + (1 - smoothing) * target
    bce = torch.nn.functional.binary_cross_entropy_with_logits(cls, target, reduction='none', pos_weight=torch.tensor(cls_pw))
    if gamma:                                                             # focal loss, between the two outcomes by interpolation
        p = cls.sigmoid(); fit = target * p + (1 - target) * (1 - p)
        bce = (.25 * target + .75 * (1 - target)) * (1 - fit) ** gamma * bce
    lc = bce.sum() / total
    lb = ld = cls.sum() * 0
    if fg.any():
        w = score[fg]; tb = torch.tensor([truths[j][2:] for j in owner[fg].tolist()], dtype=torch.float32).double()
        lb = ((1 - ciou(pred[fg], tb)) * w).sum() / total
        p = pt.expand(n, a, 2)[fg]; s = st.expand(n, a)[fg][:, None]
        t = (torch.cat([p - tb[:, :2], tb[:, 2:] - p], 1) / s).clamp(0, r - 1.01)
        left = t.floor(); wl = left + 1 - t; lp = box[fg].log_softmax(-1); left = left.long()[..., None]
        e = -(lp.gather(2, left)[..., 0] * wl + lp.gather(2, left + 1)[..., 0] * (1 - wl))
        ld = (e.mean(1) * w).sum() / total
    ((GAINS['box'] * lb + GAINS['cls'] * lc + GAINS['dfl'] * ld) * n).backward()
    lb, lc, ld = lb.detach(), lc.detach(), ld.detach()
    num = lambda t: [float('%.8g' % x) for x in t.flatten().tolist()]
    gb = box.grad.view(n * a, 4 * r) if box.grad is not None else torch.zeros(n * a, 4 * r)
    rows = fg.flatten().nonzero().flatten().tolist()
    assert gb.abs().sum(1).nonzero().flatten().tolist() == rows
    some = rows[::max(1, len(rows) // 12)]                                # gradients of a dozen points are enough
    claimed = {t for t in owner.flatten().tolist() if t >= 0}
    return dict(name=name, size=size, n=n, k=k, r=r, amp_box=amp_box, amp_cls=amp_cls, topk=topk, alpha=alpha, beta=beta, smoothing=smoothing, cls_pw=cls_pw, gamma=gamma, truths=truths,
                points=rows, owner=[owner.flatten()[i].item() for i in rows], score=num(score.flatten()[rows]),
                claimed=len(claimed), box=float('%.12g' % lb), cls=float('%.12g' % lc), dfl=float('%.12g' % ld),
                grad_box={str(i): num(gb[i]) for i in some}, grad_cls=num(cls.grad))


cases = [
    run('two pictures', 64, 2, 3, 8, 1.0, 2.0, [
        [0, 0, 5, 6, 45, 50], [0, 2, 30.5, 20.25, 62, 60], [1, 1, 0, 0, 33, 28.5], [1, 1, 20, 10, 60, 41]]),
    run('one point, several claims', 64, 1, 4, 8, 2.0, 4.0, [
        [0, 0, 2, 2, 62, 62], [0, 1, 8, 4, 60, 58], [0, 3, 2, 2, 62, 62], [0, 1, 10, 10, 50, 40]]),
    run('sides beyond the last bin', 128, 1, 2, 8, 6.0, 1.0, [[0, 1, 1, 1, 127, 127], [0, 0, 50, 40, 90, 100]]),
    run('sixteen bins, an empty picture', 96, 3, 2, 16, 1.5, 3.0, [
        [0, 0, 10, 10, 90, 80], [2, 1, 0, 5, 95, 95], [2, 0, 3, 3, 8, 8]]),
    run('nothing to find', 32, 2, 3, 8, 1.0, 2.0, []),
]
two = ('two pictures', 64, 2, 3, 8, 1.0, 2.0, [[0, 0, 5, 6, 45, 50], [0, 2, 30.5, 20.25, 62, 60], [1, 1, 0, 0, 33, 28.5], [1, 1, 20, 10, 60, 41]])
for change in (dict(topk=3), dict(topk=100), dict(alpha=1.), dict(alpha=0.), dict(beta=2.5), dict(smoothing=.1), dict(cls_pw=3.), dict(gamma=1.5),
               dict(topk=13, alpha=.75, beta=4., smoothing=.2, cls_pw=.5, gamma=.5)):
    cases.append(run(', '.join(f'{k} {v:g}' for k, v in change.items()), *two[1:], **change))
print('[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in cases) + '\n]')
