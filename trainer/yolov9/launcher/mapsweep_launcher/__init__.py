"""The launcher: reads a plan and runs one of its modes.

train   one training (run.py)
trace   the first steps of several configurations, one child process each (trace.py)
cache   scans the labels once, before trials start side by side (scan.py)
export  writes the final detections as COCO JSON (export.py)

Nothing here imports torch or the checkout before a mode asks for it.
"""
import importlib
import json
import sys

MODES = ('train', 'trace', 'cache', 'export')


def main(argv):
    if len(argv) != 1:
        sys.exit('usage: python start.py PLAN.json')
    with open(argv[0], encoding='utf-8') as f:
        plan = json.load(f)
    if plan.get('mode') not in MODES:
        sys.exit(f"launcher: no mode {plan.get('mode')!r}")
    name = {'train': 'run', 'trace': 'trace', 'cache': 'scan', 'export': 'export'}[plan['mode']]
    importlib.import_module('mapsweep_launcher.' + name).main(plan)
