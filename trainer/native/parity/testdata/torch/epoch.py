#!/usr/bin/env python3
"""Runs a training script of the official code as it stands and tells when its epochs begin and end.

  epoch.py CHECKOUT SCRIPT [flags of the script]

Prints a line for each event, `EVENT SECONDS` by the monotonic clock: start (before anything is imported), ready (data and
model are made), epoch (one begins), trained (its last step is done), scored (its validation is done), saved (so are its
checkpoints) and end. Only the minimal score of detections in validation is changed, to 0.005. Packages that are newer than
the code are bridged by mapsweep's launcher of it."""
import os, sys, time


def tell(event):
    print(event, time.monotonic(), file=sys.__stdout__, flush=True)


tell('start')
checkout, script, flags = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
torch_dir = os.path.dirname(os.path.abspath(__file__))
launcher = os.path.normpath(os.path.join(torch_dir, '../../../../yolov9/launcher'))
sys.path[:] = [p for p in sys.path if os.path.abspath(p or '.') != torch_dir]
sys.path.insert(0, launcher)
from mapsweep_launcher import run  # noqa: E402

sys.path.remove(launcher)
os.environ |= dict(YOLOv5_AUTOINSTALL='false', YOLOv5_VERBOSE='true', WANDB_MODE='disabled')
EVENTS = {'on_train_start': 'ready', 'on_train_epoch_start': 'epoch', 'on_train_epoch_end': 'trained', 'on_fit_epoch_end': 'scored',
          'on_model_save': 'saved', 'on_train_end': 'end'}


def hooks(plan):
    from utils.callbacks import Callbacks
    call = Callbacks.run

    def heard(self, hook, *args, **kwargs):
        done = call(self, hook, *args, **kwargs)
        if hook in EVENTS:
            tell(EVENTS[hook])
        return done

    Callbacks.run = heard
    import importlib
    val = importlib.import_module({'train.py': 'val', 'train_dual.py': 'val_dual'}[script])
    score = val.run
    val.run = lambda *args, **kwargs: score(*args, **{**kwargs, 'conf_thres': 0.005})


run.start(dict(checkout=checkout, script=script, argv=flags, config_dir=os.environ['EPOCH_CONFIG']))
run.execute(dict(checkout=checkout, script=script), hooks)
