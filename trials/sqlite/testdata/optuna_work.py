"""Runs trials of a study with real Optuna while other processes, mapsweep's among them, work on it.

Usage: optuna_work.py DATABASE STUDY COUNT
Waits for a line on standard input before it begins. It may take trials that mapsweep enqueued.
"""

import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)


def objective(trial):
    lr0 = trial.suggest_float("lr0", 0.001, 0.1, log=True)
    for step in range(1, 4):
        trial.report(step / 10 + lr0, step)
    trial.set_user_attr("by", "optuna")
    return lr0


def main():
    path, name, count = sys.argv[1:]
    study = optuna.load_study(study_name=name, storage="sqlite:///" + path, sampler=optuna.samplers.RandomSampler())
    print("ready", flush=True)
    sys.stdin.readline()
    study.optimize(objective, n_trials=int(count))


main()
