"""Looks closely at a database that mapsweep wrote, goes on with its studies, and looks again after mapsweep went on.

Usage: optuna_deep.py DATABASE first|again
Prints one JSON object with what it saw and did; the Go test compares. Any surprise is an exception.
"""

import json
import math
import sys
import warnings

import optuna
from optuna.trial import TrialState

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.WARNING)


def plain(value):
    """JSON has no NaN and infinities."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def constraints(trial):
    """Optuna keeps them as a system attribute; 5.0 also shows them as a property."""
    kept = trial.system_attrs.get("constraints")
    if kept is not None and hasattr(trial, "constraints"):
        shown = trial.constraints
        shown = list(shown.values()) if isinstance(shown, dict) else list(shown)
        if shown != list(kept):
            raise SystemExit(f"trial {trial.number} has the constraints {shown}, kept are {kept}")
    return kept


def single(storage):
    study = optuna.load_study(study_name="single", storage=storage, sampler=optuna.samplers.TPESampler(seed=1))
    frame = study.trials_dataframe()
    report = {
        "directions": [d.name for d in study.directions],
        "attrs": plain(study.user_attrs),
        "rows": len(frame),
        "states": [str(s) for s in frame["state"]],
        "values": [plain(v) for v in frame["value"]],
        "best": study.best_trial.number,
        "bests": [t.number for t in study.best_trials],
        "importances": optuna.importance.get_param_importances(study),
        "fanova": optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=1)),
        "intermediate": [plain(t.intermediate_values) for t in study.trials],
        "constraints": [constraints(t) for t in study.trials],
        "user": [plain(t.user_attrs) for t in study.trials],
    }

    def objective(trial):
        lr0 = trial.suggest_float("lr0", 1e-4, 1e-1, log=True)
        batch = trial.suggest_int("batch", 8, 32, step=8)
        opt = trial.suggest_categorical("opt", ["sgd", "adamw", None])
        trial.set_user_attr("odd", {"nan": float("nan"), "inf": [float("inf"), -float("inf")], "text": "NaN"})
        for step in range(1, 4):
            trial.report(float("inf") if trial.number % 2 else float("nan"), step)
        return -abs(math.log10(lr0) + 2) - batch / 1000 - (opt is None) / 1000

    study.set_user_attr("limits", [float("inf"), -float("inf"), float("nan"), "Infinity"])
    study.optimize(objective, n_trials=5)
    report["taken"] = [plain(t.params) for t in study.trials[-5:]]
    return report


def several(storage):
    study = optuna.load_study(study_name="several", storage=storage, sampler=optuna.samplers.NSGAIISampler(seed=1))
    report = {
        "directions": [d.name for d in study.directions],
        "metrics": study.metric_names,
        "bests": sorted(t.number for t in study.best_trials),
        "values": [list(t.values) for t in study.trials if t.state == TrialState.COMPLETE],
        "importances": optuna.importance.get_param_importances(study, target=lambda t: t.values[1]),
    }
    study.optimize(lambda t: (t.suggest_float("x", 0, 1), t.suggest_float("y", 0, 1)), n_trials=3)
    return report


def main():
    path, part = sys.argv[1:]
    storage = "sqlite:///" + path
    if part == "first":
        print(json.dumps({"version": optuna.__version__, "single": single(storage), "several": several(storage)}, allow_nan=False))
        return
    study = optuna.load_study(study_name="single", storage=storage)
    several_again = optuna.load_study(study_name="several", storage=storage)
    print(
        json.dumps(
            {
                "numbers": [t.number for t in study.trials],
                "ids": [t._trial_id for t in study.trials],
                "best": study.best_trial.number,
                "attrs": plain(study.user_attrs),
                "user": [plain(t.user_attrs) for t in study.trials],
                "several": [t.number for t in several_again.trials],
            },
            allow_nan=False,
        )
    )


main()
