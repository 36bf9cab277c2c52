"""pycocotools and faster-coco-eval on one case, timed: the other half of peers_test.go.

usage: peer.py DIR   with DIR/gt.json (COCO annotations) and DIR/dt.f64 (rows of image id, x, y, w, h, score, category id)

For each line on standard input, the name of a program, it scores the case once and prints a line of JSON: seconds of
evaluate, accumulate and summarize (reading the files is not counted), the twelve numbers, and precision by threshold,
recall point and class.
"""
import contextlib
import io
import json
import sys
import time

import numpy as np


def load(name, folder):
    if name == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval as Eval
    else:
        from faster_coco_eval import COCO
        from faster_coco_eval import COCOeval_faster as Eval
    gt = COCO(folder + "/gt.json")
    rows = np.fromfile(folder + "/dt.f64", "<f8").reshape(-1, 7)
    return gt, gt.loadRes(rows), Eval


def main():
    folder, out, loaded = sys.argv[1], sys.stdout, {}
    for line in sys.stdin:
        name = line.strip()
        with contextlib.redirect_stdout(io.StringIO()):
            if name not in loaded:
                loaded[name] = load(name, folder)
            gt, dt, make = loaded[name]
            began = time.perf_counter()
            e = make(gt, dt, iouType="bbox")
            e.evaluate()
            e.accumulate()
            e.summarize()
            took = time.perf_counter() - began
        p = e.eval["precision"][:, :, :, 0, -1]  # T x R x K, all areas, 100 detections
        classes = [float(np.mean(p[:, :, k][p[:, :, k] > -1])) if (p[:, :, k] > -1).any() else -1.0 for k in range(p.shape[2])]
        print(json.dumps({"seconds": took, "stats": [float(v) for v in e.stats[:12]], "classes": classes}), file=out, flush=True)


main()
