#!/usr/bin/env python3
"""Writes yolo.json.gz: validations with the numbers that the official YOLOv9 program gives them, for TestYOLO.

usage: gen_yolo.py CHECKOUT
CHECKOUT is a checkout of WongKinYiu/yolov9 (5b1ea9a made the committed file), run as it is: nothing of it is here.
Needs torch and what its utils import (torch 2.15.0, numpy 2.4.6 made the committed file).

Of each case: gt rows (image, class, x, y, w, h), dt rows (image, class, x, y, w, h, score), and of the program
  classes  those that have objects
  ap       [class][threshold]
  p r f1   [class], at the confidence of the best mean F1
  curves   [class][precision, recall, f1 by confidence, precision by recall], every 37th of their 1,000 points
  matrix   confusion: rows predicted, columns actual, the last background (null where an image has no match at all,
           since the program then forgets its detections)
"""
import gzip, json, os, sys, types
import numpy as np

if not hasattr(np, "trapz"):
    np.trapz = np.trapezoid
stub = types.ModuleType("pkg_resources")  # gone from setuptools; the program asks for versions only
stub.parse_version = lambda v: tuple(int(x) for x in v.split("+")[0].split(".")[:3] if x.isdigit())
stub.require = lambda *a: None
sys.modules.setdefault("pkg_resources", stub)
sys.path.insert(0, sys.argv[1])
import torch
from utils import metrics
import val_dual


def score(gt, dt, images, nc):
    iouv = torch.linspace(0.5, 0.95, 10, dtype=torch.float64)
    stats, cm, whole = [], metrics.ConfusionMatrix(nc), True
    for i in range(images):
        g = np.array([[c, x, y, x + w, y + h] for im, c, x, y, w, h in gt if im == i]).reshape(-1, 5)
        d = np.array([[x, y, x + w, y + h, s, c] for im, c, x, y, w, h, s in dt if im == i]).reshape(-1, 6)
        d = d[np.argsort(-d[:, 4], kind="stable")]
        g, d = torch.tensor(g), torch.tensor(d)
        correct = val_dual.process_batch(d, g, iouv) if len(g) else torch.zeros(len(d), 10, dtype=torch.bool)
        stats.append((correct.numpy(), d[:, 4].numpy(), d[:, 5].numpy(), g[:, 0].numpy()))
        keep = d[d[:, 4] > cm.conf]
        if len(keep) and not (len(g) and (metrics.box_iou(g[:, 1:], keep[:, :4]) > cm.iou_thres).any()):
            whole = False
        elif len(keep) or len(g):
            cm.process_batch(d if len(keep) else None, g if len(keep) else g[:, 0])
    tp, conf, pred, target = [np.concatenate(x) for x in zip(*stats)]
    got = {}
    metrics.plot_pr_curve = lambda px, py, *a: got.update(pr=py)
    metrics.plot_mc_curve = lambda px, py, *a, ylabel="": got.update({ylabel: py})
    _, _, p, r, f1, ap, classes = metrics.ap_per_class(tp, conf, pred, target, plot=True, names={i: str(i) for i in range(nc)})
    pr, curves = iter(got["pr"]), []
    for ci, c in enumerate(classes):
        by = next(pr) if (pred == c).any() else np.zeros(1000)
        curves.append([np.asarray(v)[::37].tolist() for v in (got["Precision"][ci], got["Recall"][ci], got["F1"][ci], by)])
    return dict(classes=classes.tolist(), ap=ap.tolist(), p=p.tolist(), r=r.tolist(), f1=f1.tolist(), curves=curves,
                matrix=cm.matrix.astype(int).tolist() if whole else None)


def make(seed, images, nc, objects, extra, noise, skip_dt=(), skip_gt=()):
    rng = np.random.default_rng(seed)
    q = lambda v: float(np.round(v * 4) / 4)  # quarters of pixels are exact in every conversion
    gt, dt, n = [], [], 0
    for i in range(images):
        own = []
        for _ in range(rng.integers(1, objects + 1)):
            c = int(rng.integers(nc))
            own.append([i, c, q(rng.uniform(0, 90)), q(rng.uniform(0, 90)), q(rng.uniform(8, 40)), q(rng.uniform(8, 40))])
        gt += [g for g in own if g[1] not in skip_gt]
        for g in own:
            for _ in range(rng.integers(0, extra + 1)):
                c = g[1] if rng.random() < 0.8 else int(rng.integers(nc))
                if c not in skip_dt:
                    dt.append([i, c] + [q(v + rng.normal(0, noise)) for v in g[2:4]] + [q(max(4, v + rng.normal(0, noise))) for v in g[4:]] + [0.0])
    for d, s in zip(dt, rng.permutation(len(dt))):  # no two scores are equal: the program's sort is not stable
        d[6] = float((s + 1) / (len(dt) + 1)) ** 1.5
    return gt, dt, images, nc


CASES = {
    "one right": ([[0, 0, 10, 10, 20, 20]], [[0, 0, 10, 10, 20, 20, 0.9]], 1, 1),
    "one wrong": ([[0, 0, 10, 10, 20, 20]], [[0, 0, 60, 60, 20, 20, 0.9]], 1, 1),
    "half found": ([[0, 0, 10, 10, 20, 20], [0, 0, 50, 50, 20, 20]], [[0, 0, 11, 10, 20, 20, 0.6]], 1, 1),
    "detections of another class": ([[0, 0, 10, 10, 20, 20], [0, 1, 50, 50, 20, 20]], [[0, 1, 10, 10, 20, 20, 0.6], [0, 1, 50, 50, 20, 20, 0.5]], 1, 2),
    "an image without objects": ([[0, 0, 10, 10, 20, 20]], [[0, 0, 11, 10, 20, 20, 0.6], [1, 0, 10, 10, 20, 20, 0.7]], 2, 1),
    "good": make(1, 30, 3, 6, 1, 1.0),
    "noisy": make(2, 40, 4, 8, 3, 4.0),
    "bad": make(3, 25, 3, 5, 2, 9.0),
    "class without detections": make(4, 20, 4, 6, 2, 3.0, skip_dt=(2,)),
    "class without objects": make(5, 20, 4, 6, 2, 3.0, skip_gt=(1,)),
    "crowded": make(6, 12, 2, 30, 3, 2.0),
    "many classes": make(7, 60, 12, 7, 2, 2.0),
}

out = [dict(name=n, gt=g, dt=d, images=i, nc=k, want=score(g, d, i, k)) for n, (g, d, i, k) in CASES.items()]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "yolo.json.gz")
with open(path, "wb") as f, gzip.GzipFile(filename="", fileobj=f, mode="wb", mtime=0) as z:
    z.write(json.dumps(out).encode())
print(len(out), "cases,", os.path.getsize(path), "bytes")
