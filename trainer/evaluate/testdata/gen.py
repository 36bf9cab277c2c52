#!/usr/bin/env python3
"""Writes COCO mAP fixtures (bbox) with the scores that pycocotools gives, for package evaluate to match to 1e-9.

usage: gen.py [--cross]     writes fixtures.json.gz beside itself
Needs numpy and pycocotools (2.4.6 and 2.0.11 made the committed file), and faster-coco-eval for --cross.
The file holds `params` and a list of `cases`, each with images, categories, annotations, results (COCO shapes) and `expected`:
  stats   the 12 numbers of COCOeval.summarize, in its order (-1 = undefined)
  classes per category id: ap, ap50, ap75, aps, apm, apl, ar1, ar10, ar100, ars, arm, arl
  ap_tk   AP for [IoU threshold][category], area all, maxDets 100 (mean of the 101 points)
  recall  [T][K][A][M], as COCOeval.eval["recall"]
  prec    [T][R][K] for area all and maxDets 100 (only in small cases)
Floats are written with repr: reading them back gives the same float64.
Annotation ids start at 1: pycocotools takes a match with id 0 for no match.
"""
import contextlib, gzip, io, json, os, sys
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

W = H = 640


def evaluate(case, coco_cls=COCO, eval_cls=COCOeval):
    ds = {"info": {}, "images": case["images"], "categories": case["categories"],
          "annotations": [dict(a) for a in case["annotations"]]}
    with contextlib.redirect_stdout(io.StringIO()):
        gt = coco_cls()
        gt.dataset = ds
        gt.createIndex()
        res = [dict(r) for r in case["results"]]
        if res:
            dt = gt.loadRes(res)
        else:  # loadRes([]) fails in pycocotools: an empty result set is built by hand
            dt = coco_cls()
            dt.dataset = {"info": {}, "images": ds["images"], "categories": ds["categories"], "annotations": []}
            dt.createIndex()
        ev = eval_cls(gt, dt, "bbox") if eval_cls is COCOeval else eval_cls(gt, dt, iouType="bbox")
        ev.evaluate(); ev.accumulate(); ev.summarize()
    return ev


def mean(a):
    a = np.asarray(a); a = a[a > -1]
    return float(a.mean()) if a.size else -1.0


def expected(case, small):
    ev = evaluate(case)
    P, R = ev.eval["precision"], ev.eval["recall"]  # T,R,K,A,M and T,K,A,M
    cats = [int(c) for c in ev.params.catIds]
    cl = {}
    for k, c in enumerate(cats):
        cl[str(c)] = dict(
            ap=mean(P[:, :, k, 0, 2]), ap50=mean(P[0, :, k, 0, 2]), ap75=mean(P[5, :, k, 0, 2]),
            aps=mean(P[:, :, k, 1, 2]), apm=mean(P[:, :, k, 2, 2]), apl=mean(P[:, :, k, 3, 2]),
            ar1=mean(R[:, k, 0, 0]), ar10=mean(R[:, k, 0, 1]), ar100=mean(R[:, k, 0, 2]),
            ars=mean(R[:, k, 1, 2]), arm=mean(R[:, k, 2, 2]), arl=mean(R[:, k, 3, 2]))
    out = dict(stats=[float(x) for x in ev.stats], cat_ids=cats, classes=cl,
               ap_tk=[[mean(P[t, :, k, 0, 2]) for k in range(len(cats))] for t in range(P.shape[0])],
               recall=R.tolist())
    if small:
        out["prec"] = P[:, :, :, 0, 2].tolist()
    return out


def base(nimg, ncat):
    return dict(images=[dict(id=i + 1, width=W, height=H, file_name=f"{i+1:06d}.jpg") for i in range(nimg)],
                categories=[dict(id=c + 1, name=f"c{c+1}") for c in range(ncat)], annotations=[], results=[])


def ann(c, img, cat, box, crowd=0, area=None):
    c["annotations"].append(dict(id=len(c["annotations"]) + 1, image_id=img, category_id=cat, bbox=[float(v) for v in box],
                                 area=float(box[2] * box[3] if area is None else area), iscrowd=crowd))


def det(c, img, cat, box, score):
    c["results"].append(dict(image_id=img, category_id=cat, bbox=[float(v) for v in box], score=float(score)))


def rand_case(seed, nimg, ncat, ngt, jit, fp, miss, crowd=0.0, quant=None, integer=False, empty=0.0, segarea=False):
    r = np.random.default_rng(seed); c = base(nimg, ncat)
    for i in range(1, nimg + 1):
        if r.random() < empty:
            n = 0
        else:
            n = int(r.integers(0, ngt + 1))
        for _ in range(n):
            s = float(np.exp(r.uniform(np.log(8), np.log(300)))); asp = float(np.exp(r.normal(0, .4)))
            w, h = min(s * asp, W - 2), min(s / asp, H - 2)
            x, y = r.uniform(0, W - w), r.uniform(0, H - h)
            b = [x, y, w, h]
            if integer: b = [round(v) for v in b]
            k = int(r.integers(1, ncat + 1))
            ann(c, i, k, b, int(r.random() < crowd), b[2] * b[3] * (r.uniform(.4, 1) if segarea else 1))
            while r.random() > miss:  # may give duplicates of one object
                d = [b[0] + r.normal(0, jit) * b[2], b[1] + r.normal(0, jit) * b[3],
                     b[2] * np.exp(r.normal(0, jit)), b[3] * np.exp(r.normal(0, jit))]
                if integer: d = [round(d[0]), round(d[1]), max(1, round(d[2])), max(1, round(d[3]))]
                det(c, i, k if r.random() > .1 else int(r.integers(1, ncat + 1)), d, r.beta(4, 2))
                if r.random() > .25: break
        for _ in range(int(r.poisson(fp))):
            w, h = np.exp(r.uniform(np.log(6), np.log(300), 2))
            d = [r.uniform(0, W - 10), r.uniform(0, H - 10), w, h]
            if integer: d = [round(v) for v in d]
            det(c, i, int(r.integers(1, ncat + 1)), d, r.beta(2, 4))
    r.shuffle(c["results"])
    if quant:
        for d in c["results"]: d["score"] = round(d["score"] * quant) / quant
    return c


def edge_cases():
    E = {}
    c = base(2, 3); ann(c, 1, 1, [10, 10, 50, 50]); det(c, 1, 1, [10, 10, 50, 50], .9); det(c, 1, 2, [0, 0, 40, 40], .8); det(c, 2, 2, [5, 5, 9, 9], .7)
    E["class_without_gt"] = c  # c2 only false positives, c3 nothing: both -1 and left out of the means
    c = base(2, 2); ann(c, 1, 1, [10, 10, 50, 50]); ann(c, 2, 2, [10, 10, 20, 20]); E["no_detections"] = c  # 0, not -1
    c = base(2, 2); ann(c, 1, 1, [10, 10, 50, 50]); ann(c, 2, 2, [9, 9, 70, 70]); det(c, 1, 1, [10, 10, 50, 50], .9); E["class_without_detections"] = c
    c = base(3, 1); det(c, 1, 1, [1, 1, 30, 30], .5); E["no_gts_at_all"] = c
    c = base(3, 1); E["nothing"] = c
    c = base(3, 1); ann(c, 1, 1, [10, 10, 50, 50]); det(c, 1, 1, [10, 10, 50, 50], .9)
    for i in (2, 3): det(c, i, 1, [10, 10, 50, 50], .95)
    E["empty_images_with_fps"] = c
    c = base(4, 1)  # equal scores over images and inside one: stable order decides
    for i in (1, 2, 3, 4): ann(c, i, 1, [100, 100, 60, 60])
    for i, hit in ((4, 1), (2, 0), (1, 1), (3, 0)):
        det(c, i, 1, [100, 100, 60, 60] if hit else [300, 300, 60, 60], .5); det(c, i, 1, [102, 100, 60, 60], .5)
    E["score_ties"] = c
    c = base(1, 1); ann(c, 1, 1, [100, 100, 40, 40]); ann(c, 1, 1, [100, 110, 40, 40]); det(c, 1, 1, [100, 105, 40, 40], .9); det(c, 1, 1, [100, 100, 40, 40], .8)
    E["iou_tie_last_gt_wins"] = c
    c = base(1, 1); ann(c, 1, 1, [0, 0, 300, 300], crowd=1); ann(c, 1, 1, [10, 10, 50, 50])
    for k in range(5): det(c, 1, 1, [100 + 20 * k, 100, 50, 50], .9 - .1 * k)  # all inside the crowd: ignored
    det(c, 1, 1, [11, 10, 50, 50], .3); det(c, 1, 1, [400, 400, 50, 50], .2)
    E["crowd_absorbs_many"] = c
    c = base(1, 1); ann(c, 1, 1, [0, 0, 100, 100], crowd=1); det(c, 1, 1, [0, 0, 100, 100], .9); E["only_crowd"] = c
    c = base(1, 1); ann(c, 1, 1, [50, 50, 100, 100]); ann(c, 1, 1, [50, 50, 100, 100], crowd=1)
    det(c, 1, 1, [50, 50, 100, 98], .9); det(c, 1, 1, [50, 50, 100, 99], .8); E["crowd_over_gt"] = c
    c = base(1, 1)
    for k in range(150): ann(c, 1, 1, [(k % 15) * 40, (k // 15) * 40, 30, 30])
    for k in range(150): det(c, 1, 1, [(k % 15) * 40 + 1, (k // 15) * 40, 30, 30], 1 - k / 200)
    E["over_100_dets"] = c  # the last 50 are cut; AR100 <= 100/150
    c = base(1, 2)  # 100 a class and image, not 100 an image
    for k in range(120):
        ann(c, 1, 1 + k % 2, [(k % 15) * 40, (k // 15) * 40, 30, 30]); det(c, 1, 1 + k % 2, [(k % 15) * 40, (k // 15) * 40, 30, 30], .99 - k / 200)
    E["max_dets_is_per_class"] = c
    c = base(1, 1); x = 0
    for a, (w, h) in enumerate([(32, 32), (31, 33), (33, 32), (96, 96), (95, 97), (97, 96), (16, 64), (48, 192)]):
        ann(c, 1, 1, [x, 0 if a % 2 else 300, w, h]); det(c, 1, 1, [x, 0 if a % 2 else 300, w, h], .9 - .05 * a); x += 70
    E["area_boundaries"] = c  # 1024 and 9216 count in both neighbouring ranges
    c = base(1, 1); ann(c, 1, 1, [0, 0, 40, 40], area=900); det(c, 1, 1, [0, 0, 40, 40], .9); det(c, 1, 1, [200, 200, 20, 20], .95); det(c, 1, 1, [300, 300, 60, 60], .85)
    E["area_field_not_box_and_unmatched_outside"] = c
    c = base(1, 1)  # IoU exactly on thresholds: 0.5, 0.75 and near 0.55/0.6/0.7 (float rounding)
    for k, (w2) in enumerate([50, 75, 55, 60, 70, 95, 90, 65]):
        ann(c, 1, 1, [0, k * 70, 100, 60]); det(c, 1, 1, [0, k * 70, w2, 60], .9 - .01 * k)
    E["iou_on_threshold"] = c
    c = base(1, 1); ann(c, 1, 1, [10, 10, 50, 50])
    for s in (.9, .8, .7): det(c, 1, 1, [10, 10, 50, 50], s)
    E["duplicates"] = c
    c = base(1, 1)  # recall steps of 1/3, 1/7 ... against the 101 points
    for k in range(7): ann(c, 1, 1, [k * 80, 0, 50, 50])
    for k in range(7): det(c, 1, 1, [k * 80, 0, 50, 50], .9 - .1 * k); det(c, 1, 1, [k * 80, 300, 50, 50], .88 - .1 * k)
    E["recall_steps"] = c
    c = base(1, 1); ann(c, 1, 1, [10, 10, 50, 50]); det(c, 1, 1, [10, 10, 0, 0], .9); det(c, 1, 1, [-20, -20, 80, 80], .5); ann(c, 1, 1, [620, 620, 0, 0])
    E["zero_size_boxes"] = c
    c = base(2, 2); c["categories"][0]["id"] = 17; c["categories"][1]["id"] = 3; c["images"][0]["id"] = 900; c["images"][1]["id"] = 5
    ann(c, 900, 17, [0, 0, 40, 40]); ann(c, 5, 3, [0, 0, 40, 40]); ann(c, 5, 17, [90, 0, 40, 40])
    det(c, 900, 17, [0, 0, 40, 39], .5); det(c, 5, 17, [300, 0, 40, 40], .5); det(c, 5, 17, [90, 0, 40, 40], .5); det(c, 5, 3, [0, 0, 40, 30], .5)
    E["unsorted_ids"] = c  # ties follow ascending image id (5 before 900)
    c = base(1, 1); ann(c, 1, 1, [0, 0, 20, 20]); ann(c, 1, 1, [0, 100, 60, 60]); ann(c, 1, 1, [0, 200, 120, 120])
    for k, (w, h) in enumerate([(32, 32), (96, 96), (31, 33), (97, 96)]):  # unmatched, area on a boundary: a false positive in both ranges
        det(c, 1, 1, [300, 100 * k, w, h], .95 - .01 * k)
    det(c, 1, 1, [0, 0, 20, 20], .9); det(c, 1, 1, [0, 100, 60, 60], .9); det(c, 1, 1, [0, 200, 120, 120], .9)
    E["det_area_boundaries"] = c
    c = base(4, 1)  # 100 objects: recalls k/100 against linspace(0, 1, 101), where 35/100 < rec_thrs[35]
    r = np.random.default_rng(11); n = 0
    for i in (1, 2, 3, 4):
        for k in range(25):
            b = [(k % 5) * 120, (k // 5) * 120, 50, 50]; ann(c, i, 1, b); det(c, i, 1, b, 1 - n / 300); n += 1
            if r.random() < .5: det(c, i, 1, [b[0] + 60, b[1] + 60, 50, 50], 1 - n / 300 + 1e-4)
    E["recall_100"] = c
    c = base(30, 1)  # IoUs one ulp under and over thresholds (0.9 is 0.8999999999999999 in the list)
    r = np.random.default_rng(12); thr = np.linspace(.5, .95, 10); found = {}
    for _ in range(400000):
        t = thr[int(r.integers(10))]; w, h = r.integers(20, 120) / 10, r.integers(20, 120) / 10
        d = float(w * t); x = min(d, w) * h; v = x / (d * h + w * h - x)
        for tt in (t, np.nextafter(t, 0), np.nextafter(t, 1)):
            if v == tt: found.setdefault((float(t), float(tt)), (float(w), float(h), d))
        if len(found) == 30: break
    for k, (_, (w, h, d)) in enumerate(sorted(found.items())):
        ann(c, k + 1, 1, [0, 0, w, h]); det(c, k + 1, 1, [0, 0, d, h], .99 - .01 * k)  # at 0,0: no rounding by an offset
    E["iou_ulp"] = c
    return E


def main():
    out, done = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures.json.gz"), []
    cases = {f"edge_{k}": (v, True) for k, v in edge_cases().items()}
    R = [("rand_small", dict(seed=1, nimg=4, ncat=2, ngt=4, jit=.08, fp=1, miss=.2), True),
         ("rand_mid", dict(seed=2, nimg=30, ncat=5, ngt=8, jit=.1, fp=4, miss=.2), False),
         ("rand_ties", dict(seed=3, nimg=30, ncat=3, ngt=8, jit=.08, fp=4, miss=.2, quant=5), False),
         ("rand_int_ties", dict(seed=4, nimg=30, ncat=3, ngt=8, jit=.06, fp=4, miss=.2, quant=4, integer=True), False),
         ("rand_crowd", dict(seed=5, nimg=30, ncat=3, ngt=10, jit=.1, fp=6, miss=.2, crowd=.25), False),
         ("rand_segarea", dict(seed=6, nimg=30, ncat=4, ngt=8, jit=.1, fp=4, miss=.2, crowd=.1, segarea=True), False),
         ("rand_sparse", dict(seed=7, nimg=60, ncat=20, ngt=3, jit=.1, fp=1, miss=.4, empty=.5), False),
         ("rand_many_fp", dict(seed=8, nimg=6, ncat=1, ngt=60, jit=.08, fp=180, miss=.1, quant=50), False),
         ("rand_good", dict(seed=9, nimg=50, ncat=6, ngt=10, jit=.02, fp=.3, miss=.03), False),
         ("rand_bad", dict(seed=10, nimg=50, ncat=6, ngt=10, jit=.5, fp=15, miss=.6), False)]
    for n, kw, s in R: cases[n] = (rand_case(**kw), s)
    worst = 0.0
    for n, (c, s) in sorted(cases.items()):
        c = dict(name=n, **c); c["expected"] = expected(c, s)
        done.append(c)
        line = f"{n:45s} gt={len(c['annotations']):4d} dt={len(c['results']):5d} AP={c['expected']['stats'][0]:.6f} AR={c['expected']['stats'][8]:.6f}"
        if "--cross" in sys.argv and c["results"]:
            from faster_coco_eval import COCO as FC, COCOeval_faster as FE
            try:
                st = np.asarray(evaluate(c, FC, FE).stats[:12]); d = float(np.abs(st - c["expected"]["stats"]).max()); worst = max(worst, d); line += f" faster_diff={d:.2e}"
            except Exception as e: line += f" faster: {type(e).__name__} {str(e)[:50]}"
        print(line)
    ev = evaluate(cases["rand_small"][0])
    params = dict(iou_thrs=ev.params.iouThrs.tolist(), rec_thrs=ev.params.recThrs.tolist(), max_dets=ev.params.maxDets,
                  area_rng=ev.params.areaRng, area_lbl=ev.params.areaRngLbl)
    with open(out, "wb") as f:
        f.write(gzip.compress(json.dumps(dict(params=params, cases=done), separators=(",", ":")).encode(), 9, mtime=0))
    print("cases", len(cases), "worst difference to faster-coco-eval", worst)


main()
