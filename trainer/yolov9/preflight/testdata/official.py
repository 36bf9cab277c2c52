# Asks the official functions, for official_integration_test.go: reads a JSON list of questions on stdin and writes a
# JSON list of answers on the last line of stdout. Started in the checkout.
import json
import os
import random
import sys
import types

sys.path.insert(0, os.getcwd())
try:
    import pkg_resources
except ImportError:  # setuptools 82 and later: a stand-in that does for importing
    stub = types.ModuleType("pkg_resources")
    from packaging.version import parse

    stub.parse_version = parse
    stub.VersionConflict = stub.DistributionNotFound = type("Missing", (Exception,), {})
    stub.require = lambda *a, **k: []
    stub.parse_requirements = lambda f: []
    sys.modules["pkg_resources"] = stub

import yaml
from utils import dataloaders, general


def dataset(q):
    d = general.check_dataset(q["file"], autodownload=False)
    return {k: d.get(k) for k in ("train", "val", "test", "nc")} | {"names": {str(k): str(v) for k, v in d["names"].items()}}


def verify(q):
    im, lb, shape, segments, nm, nf, ne, nc, msg = dataloaders.verify_image_label((q["image"], q["label"], ""))
    return {
        "ignored": im is None,
        "rows": [] if lb is None else [[min(float(x), 1e30) for x in row] for row in lb],
        "polygons": bool(segments),
        "message": msg,
    }


def load(q):
    loader, d = dataloaders.create_dataloader(q["path"], 64, q["batch"], 32, hyp={}, augment=True, workers=0, shuffle=True)
    return {
        "images": list(d.im_files),
        "labels": list(d.label_files),
        "boxes": sum(len(x) for x in d.labels),
        "batches": len(loader),
        "shapes": [[int(x) for x in s] for s in d.shapes],
    }


def mosaic(q):
    d = dataloaders.LoadImagesAndLabels(q["path"], 64, augment=True, hyp=dict.fromkeys(
        ("copy_paste", "degrees", "translate", "scale", "shear", "perspective"), 0.0))
    random.seed(0)
    kept = [d.load_mosaic(i % d.n)[1] for i in range(q["batch"])]
    return {"boxes": sum(len(x) for x in kept), "classes": [sum(int((x[:, 0] == c).sum()) for x in kept) for c in (0, 1)]}


def find(q):
    return os.path.abspath(general.check_yaml(q["name"]))


def scalars(q):
    return [type(yaml.safe_load(t)).__name__ + " " + str(yaml.safe_load(t)) for t in q["texts"]]


answers = []
for q in json.load(sys.stdin):
    try:
        answers.append({"ok": {"dataset": dataset, "mosaic": mosaic, "verify": verify, "load": load, "find": find, "scalars": scalars}[q["ask"]](q)})
    except BaseException as e:
        answers.append({"error": "%s: %s" % (type(e).__name__, e)})
print("\nanswers:" + json.dumps(answers))
