"""The official code in a checkout of yours, for the comparisons beside: nothing of it is kept here. Call use once, then
model."""
import importlib.util, logging, os, sys, types

HYP = dict(cls_pw=1.0, fl_gamma=0.0, label_smoothing=0.0)
root = ''


def use(path):
    """Makes the checkout's modules importable, from whatever folder the program runs in."""
    global root
    root = os.path.abspath(path)
    os.environ |= dict(YOLOv5_AUTOINSTALL='false', YOLOv5_VERBOSE='false')
    if importlib.util.find_spec('pkg_resources') is None:  # gone since setuptools 82; the checkout asks it for versions
        from packaging.version import parse
        stub = types.ModuleType('pkg_resources')
        stub.parse_version, stub.require = parse, lambda *a, **k: []
        sys.modules['pkg_resources'] = stub
    here = os.getcwd()
    sys.path.insert(0, root)
    os.chdir(root)
    logging.disable(logging.WARNING)
    import models.yolo
    os.chdir(here)


def model(name, nc):
    """A fresh model of the official code."""
    from models.yolo import DetectionModel
    m = DetectionModel(os.path.join(root, f'models/detect/{name}.yaml'), ch=3, nc=nc)
    m.hyp = dict(HYP)
    return m
