"""Opens a database that mapsweep wrote with real Optuna: reads, charts and continues it.

Usage: optuna_check.py DATABASE STUDY CHARTDIR
Prints one JSON object with what it saw and did; the Go test compares. Any surprise is an exception.
"""

import json
import math
import os
import sys
import warnings

import matplotlib

matplotlib.use("Agg")
import optuna
from optuna.trial import TrialState

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.WARNING)


def plain(value):
    """JSON has no NaN and infinities."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def read(study):
    """What load_study shows of every trial."""
    trials = []
    for t in study.trials:
        trials.append(
            {
                "number": t.number,
                "state": t.state.name,
                "values": [plain(v) for v in t.values] if t.values is not None else None,
                "params": t.params,
                "distributions": {k: repr(d) for k, d in t.distributions.items()},
                "intermediate": {str(k): plain(v) for k, v in t.intermediate_values.items()},
                "user_attrs": plain(t.user_attrs),
                "fixed": t.system_attrs.get("fixed_params"),
                "start": str(t.datetime_start),
            }
        )
    return trials


def objective(trial):
    lr0 = trial.suggest_float("lr0", 0.001, 0.05, log=True)
    mixup = trial.suggest_float("mixup", 0.0, 0.5, step=0.05)
    batch = trial.suggest_int("batch", 8, 32, step=8)
    opt = trial.suggest_categorical("opt", ["sgd", "adamw", None, True, 3, 2.5])
    width = trial.suggest_float("width", 0.5, 1.0)
    trial.set_user_attr("note", {"who": "optuna", "nan": float("nan")})
    for step in range(1, 4):
        trial.report(step / 10 + (opt == "sgd") / 100 if trial.number % 2 else float("nan"), step)
    return lr0 + mixup / 10 + batch / 1000 + width / 1000


def chart(study, folder):
    """Draws what needs no further package; returns the sizes of the pictures."""
    from optuna.visualization import matplotlib as draw

    sizes = {}
    for name, plot in {
        "history": draw.plot_optimization_history,
        "intermediate": draw.plot_intermediate_values,
        "parallel": draw.plot_parallel_coordinate,
        "slice": draw.plot_slice,
    }.items():
        path = os.path.join(folder, name + ".png")
        axes = plot(study)
        axes = axes.flat[0] if hasattr(axes, "flat") else axes
        axes.figure.savefig(path)
        sizes[name] = os.path.getsize(path)
    return sizes


def main():
    path, name, folder = sys.argv[1:]
    storage = "sqlite:///" + path
    study = optuna.load_study(study_name=name, storage=storage, sampler=optuna.samplers.TPESampler(seed=0))
    before = read(study)
    frame = study.trials_dataframe()
    report = {
        "version": optuna.__version__,
        "direction": study.direction.name,
        "study_attrs": study.user_attrs,
        "before": before,
        "columns": list(frame.columns),
        "rows": len(frame),
        "best": study.best_trial.number,
        "best_value": study.best_value,
        "history": [t.value for t in study.get_trials(states=[TrialState.COMPLETE])],
        "charts": chart(study, folder),
    }
    study.optimize(objective, n_trials=5)
    study.enqueue_trial({"lr0": 0.02, "opt": None}, user_attrs={"from": "python"})
    dead = study.ask()
    if study.trials[dead.number].system_attrs.get("fixed_params") is None:
        raise SystemExit("ask did not take the trial that was just enqueued")
    study.tell(dead, state=TrialState.FAIL)
    study.enqueue_trial({"lr0": 0.03, "opt": "adamw"})
    report["after"] = read(optuna.load_study(study_name=name, storage=storage))[len(before) - 1 :]
    other = optuna.create_study(study_name="from-python", storage=storage, directions=["minimize", "maximize"])
    other.set_metric_names(["loss", "speed"])
    other.optimize(lambda t: (t.suggest_float("x", -1, 1), float("inf")), n_trials=2)
    print(json.dumps(report, allow_nan=False))


main()
