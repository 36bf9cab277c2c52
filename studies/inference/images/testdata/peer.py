"""AP of drawn pictures by pycocotools, for BenchmarkPeer: reads the file that it wrote, prints JSON.

    pip install numpy pycocotools
"""
import contextlib
import importlib.metadata
import io
import json
import statistics
import sys
import time

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def box(b):
    return [b["X"], b["Y"], b["W"], b["H"]]


with open(sys.argv[1]) as f:
    task = json.load(f)
with contextlib.redirect_stdout(io.StringIO()):
    gt = COCO()
    gt.dataset = {
        "images": [{"id": i} for i in range(task["images"])],
        "categories": [{"id": k, "name": str(k)} for k in range(task["classes"])],
        "annotations": [{"id": n + 1, "image_id": g["Image"], "category_id": g["Class"], "bbox": box(g["Box"]), "area": g["Area"],
                         "iscrowd": int(g["Crowd"])} for n, g in enumerate(task["truths"])],
    }
    gt.createIndex()
    dt = gt.loadRes([{"image_id": d["Image"], "category_id": d["Class"], "bbox": box(d["Box"]), "score": d["Score"]} for d in task["found"]])
    e = COCOeval(gt, dt, "bbox")
    e.params.areaRng, e.params.areaRngLbl, e.params.maxDets = [[0, 1e10]], ["all"], [100]
    e.evaluate()
    n, once = task["images"], e.evalImgs
    seconds, ap = [], []
    for counts in task["counts"]:
        drawn = [i for i, c in enumerate(counts) for _ in range(c)]
        start = time.process_time()
        e.evalImgs = [once[k * n + i] for k in range(task["classes"]) for i in drawn]
        # accumulate finds pictures by their ids, and so needs ids that are all different
        e.params.imgIds = list(range(len(drawn)))
        e._paramsEval.imgIds = e.params.imgIds
        e.accumulate()
        seconds.append(time.process_time() - start)
        p = e.eval["precision"]
        ap.append(float(p[p > -1].mean()))
json.dump({"tool": "pycocotools " + importlib.metadata.version("pycocotools"), "seconds": statistics.median(seconds), "ap": ap}, sys.stdout)
