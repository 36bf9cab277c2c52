"""Starts a script of the official YOLOv9 code with what a trial of mapsweep asks for.

usage: python start.py PLAN.json

The plan says which script of which checkout runs, with which flags, and which levers are pulled. The
checkout is never written to: edits are made to the syntax tree in memory. Without levers the script
computes what it computes when it is started by itself.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [p for p in sys.path if os.path.abspath(p or '.') != HERE]
sys.path.insert(0, HERE)
import mapsweep_launcher  # noqa: E402

sys.path.remove(HERE)

if __name__ == '__main__':
    mapsweep_launcher.main(sys.argv[1:])
