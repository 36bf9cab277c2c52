"""Decisions of Optuna's pruners and p values of SciPy's signed-rank test, for the tests of this package.

python gen.py > optuna.json, with optuna 5.0.0, scipy 1.17.1 and numpy 2.4.6.
"""
import json
import itertools
import numpy as np
import optuna
from optuna.pruners import MedianPruner, PatientPruner, PercentilePruner, ThresholdPruner
from optuna.trial import TrialState, create_trial
from scipy.stats import rankdata, wilcoxon

optuna.logging.set_verbosity(optuna.logging.ERROR)
rng = np.random.default_rng(20)
EPOCHS = 12


def curve(n):
    top = rng.normal(0.5, 0.1)
    return [round(float(v), 4) for v in top * (1 - np.exp(-np.arange(1, n + 1) / 4)) + rng.normal(0, 0.03, n)]


def decisions(pruner, direction, history, running):
    study = optuna.create_study(direction=direction)
    for values in history:
        study.add_trial(create_trial(state=TrialState.COMPLETE, value=values[-1], intermediate_values={i + 1: v for i, v in enumerate(values)}))
    trial = study.ask()
    out = []
    for i, v in enumerate(running):
        trial.report(v, i + 1)
        out.append(bool(pruner.prune(study, study.trials[-1])))
    return out


cases = []
for direction in ("maximize", "minimize"):
    for name, options, make in [
        # Optuna judges from step n_warmup_steps on, this package after warm_up epochs
        ("median", {"warm_up": 2}, lambda: MedianPruner(5, 3, 1)),
        ("median", {"startup_trials": 8, "warm_up": 0, "interval": 3, "min_trials": 4}, lambda: MedianPruner(8, 1, 3, n_min_trials=4)),
        ("percentile", {"percentile": 25, "warm_up": 1}, lambda: PercentilePruner(25.0, 5, 2, 1)),
        ("percentile", {"percentile": 80, "startup_trials": 3, "warm_up": 4, "interval": 2}, lambda: PercentilePruner(80.0, 3, 5, 2)),
        ("patient", {"patience": 1}, lambda: PatientPruner(None, 1)),
        ("patient", {"patience": 2, "min_delta": 0.03}, lambda: PatientPruner(None, 2, 0.03)),
        ("patient", {"patience": 0, "pruner": "median", "warm_up": 1}, lambda: PatientPruner(MedianPruner(5, 2, 1), 0)),
        ("threshold", {"lower": 0.2, "upper": 0.5, "warm_up": 3}, lambda: ThresholdPruner(lower=0.2, upper=0.5, n_warmup_steps=4)),
        ("threshold", {"upper": 0.35, "warm_up": 0, "interval": 4}, lambda: ThresholdPruner(upper=0.35, n_warmup_steps=1, interval_steps=4)),
    ]:
        for n in (4, 7, 12):
            history = [curve(EPOCHS if k % 3 else 6) for k in range(n)]
            running = curve(EPOCHS - 1)
            cases.append({"pruner": name, "direction": direction, "options": options, "history": history, "running": running,
                          "want": decisions(make(), direction, history, running)})


def enumerated(d):
    """The exact p value under ties and zeros, over all signs."""
    ranks = rankdata(np.abs(d))
    zeros = ranks[np.asarray(d) == 0].sum() / 2
    r = ranks[np.asarray(d) != 0]
    have = sum(x for x, v in zip(ranks, d) if v > 0) + zeros
    sums = [sum(x for x, s in zip(r, signs) if s) + zeros for signs in itertools.product((0, 1), repeat=len(r))]
    return float(np.mean([s >= have - 1e-9 for s in sums]))


tests = []
for n in (1, 2, 3, 5, 10, 25, 50):
    for shift in (0, 0.5):
        d = [round(float(v), 6) for v in rng.normal(shift, 1, n)]
        tests.append({"d": d, "p": float(wilcoxon(d, alternative="greater", zero_method="zsplit", method="exact").pvalue), "by": "scipy exact"})
for d in ([1, 1, -1, 2, 2], [0, 0, 1, -2, 3, 3], [0, 0, 0, 5], [1.5] * 8, [-1] * 6, [1, -1] * 5, [0.5, 0, -0.5, 2, 2, 2, -3, 1]):
    tests.append({"d": d, "p": enumerated(d), "by": "all signs"})
for n in (60, 120):
    d = [round(float(v), 1) for v in rng.normal(0.2, 1, n)]
    d = [v for v in d if v != 0]
    tests.append({"d": d, "p": float(wilcoxon(d, alternative="greater", correction=False, method="asymptotic").pvalue), "by": "scipy asymptotic"})

print(json.dumps({"optuna": optuna.__version__, "cases": cases, "tests": tests}, separators=(",", ":")))
