"""What Optuna's NSGA-II reaches on ZDT1 with five parameters: the hypervolume up to (1.1, 6) after 300 trials.

    pip install optuna==5.0.0
    python gen.py
"""
import statistics
import optuna
from optuna._hypervolume import compute_hypervolume
import numpy as np

optuna.logging.set_verbosity(optuna.logging.ERROR)


def zdt1(trial):
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(5)]
    g = 1 + 9 * sum(x[1:]) / 4
    return x[0], g * (1 - (x[0] / g) ** 0.5)


for name, make in [("nsga2", lambda s: optuna.samplers.NSGAIISampler(population_size=20, seed=s)), ("random", lambda s: optuna.samplers.RandomSampler(seed=s))]:
    volumes = []
    for seed in range(15):
        study = optuna.create_study(directions=["minimize"] * 2, sampler=make(seed))
        study.optimize(zdt1, n_trials=300)
        points = np.array([t.values for t in study.trials])
        points = points[(points < [1.1, 6]).all(axis=1)]
        volumes.append(compute_hypervolume(points, np.array([1.1, 6.0])))
    print(name, round(statistics.median(volumes), 4), [round(v, 3) for v in sorted(volumes)])
