"""Optuna's half of the searches with two objectives of `make bench-search`.

    python front.py PROBLEM SAMPLER FIRST SEEDS   # JSON lines, one a seed: both losses of each of 200 trials, one after the other

The problems are those of ../front_test.go, where their sources are.
"""
import json
import math
import os
import sys
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

TRIALS = 200


def zdt(trial, shape):
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    g = 1 + 9 * sum(x[1:]) / 5
    return x[0], g * shape(x[0] / g)


def zdt1(trial):
    return zdt(trial, lambda r: 1 - math.sqrt(r))


def zdt2(trial):
    return zdt(trial, lambda r: 1 - r * r)


def tradeoff(trial):
    lr = trial.suggest_float("lr", 1e-5, 1, log=True)
    wd = trial.suggest_float("wd", 1e-7, 1e-1, log=True)
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam", "adamw", "lion"])
    width = trial.suggest_int("width", 1, 16)
    momentum = trial.suggest_float("momentum", 0.5, 0.999)
    size = trial.suggest_categorical("size", ["small", "medium", "large"])
    best = {"sgd": -2, "adam": -3.3, "adamw": -3, "lion": -4}[optimizer]
    error = 0.2 * (math.log10(lr) - best) ** 2 + 0.05 * (math.log10(wd) + 4) ** 2 + 2 * (momentum - 0.93) ** 2
    error += {"sgd": 0, "adam": 0.2, "adamw": 0.1, "lion": 0.4}[optimizer]
    error += 1.2 / math.sqrt(width) + {"small": 0.6, "medium": 0.2, "large": 0}[size]
    return error, width * {"small": 1, "medium": 2, "large": 4}[size]


def run(problem, sampler, first, seeds):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore")
    make = {"tpe": optuna.samplers.TPESampler, "nsga2": optuna.samplers.NSGAIISampler}[sampler]
    objective = {"zdt1": zdt1, "zdt2": zdt2, "tradeoff": tradeoff}[problem]
    for seed in range(first, first + seeds):
        study = optuna.create_study(directions=["minimize", "minimize"], sampler=make(seed=seed))
        study.optimize(objective, n_trials=TRIALS)
        print(json.dumps([v for t in study.trials for v in t.values]), flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [problem, sampler, first, seeds]:
            run(problem, sampler, int(first), int(seeds))
        case _:
            sys.exit(__doc__)
