"""Adds finished trials with real Optuna while mapsweep writes to the same study.

Usage: optuna_add.py DATABASE STUDY COUNT
"""

import sys

import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)
path, name, count = sys.argv[1:]
study = optuna.load_study(study_name=name, storage="sqlite:///" + path)
print("ready", flush=True)
sys.stdin.readline()
for i in range(int(count)):
    study.add_trial(
        create_trial(
            value=i / 100,
            params={"lr0": 0.001 + i / 1000},
            distributions={"lr0": FloatDistribution(0.001, 0.05, log=True)},
            user_attrs={"place": i},
            intermediate_values={1: i / 200},
        )
    )
