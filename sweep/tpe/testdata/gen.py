"""Writes optuna.json: what optuna 5.0.0's TPESampler proposes after fixed histories, 400 times with seeds 0 to 399.

The best trials of the last history lie at different values of each parameter: which of two equal ones counts as the outer one
depends on how numpy sorts.

    pip install optuna==5.0.0 && python gen.py > optuna.json
"""
import json
import math
import random
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore")

SPACE = {
    "float": FloatDistribution(-1, 2),
    "log": FloatDistribution(1e-5, 1e-1, log=True),
    "grid": FloatDistribution(0, 1, step=0.25),
    "int": IntDistribution(0, 9),
    "logint": IntDistribution(1, 20, log=True),
    "choice": CategoricalDistribution(["a", "b", "c"]),
}


def loss(p):
    far = (p["float"] - 0.3) ** 2 + (math.log10(p["log"]) + 2) ** 2 / 4 + (p["grid"] - 0.5) ** 2
    far += ((p["int"] - 6) / 10) ** 2 + (math.log(p["logint"] / 5) / 3) ** 2
    return round(far + {"a": 0.3, "b": 0, "c": 0.1}[p["choice"]], 6)


def history(name, n, pruned=0, infeasible=0, running=0, seed=0):
    rng = random.Random(seed)
    trials = []
    for i in range(n):
        p = {
            "float": round(rng.uniform(-1, 2), 6),
            "log": float(f"{10 ** rng.uniform(-5, -1):.6g}"),
            "grid": rng.randrange(5) / 4,
            "int": rng.randrange(10),
            "logint": rng.randint(1, 20),
            "choice": rng.choice("abc"),
        }
        t = {"params": p, "state": "COMPLETE", "value": loss(p)}
        if i % 5 == 1 and pruned > 0:
            pruned -= 1
            t.update(state="PRUNED", epoch=1 + i % 7)
        elif i % 5 == 3 and infeasible > 0:
            infeasible -= 1
            t["constraints"] = [round(rng.uniform(0.1, 1), 6)]
        elif i >= n - running:
            t.update(state="RUNNING")
        trials.append(t)
    return {"name": name, "trials": trials}


def study(h):
    s = optuna.create_study()
    for t in h["trials"]:
        state = TrialState[t["state"]]
        s.add_trial(
            create_trial(
                params=t["params"],
                distributions=SPACE,
                state=state,
                value=t["value"] if state == TrialState.COMPLETE else None,
                intermediate_values={t["epoch"]: t["value"]} if state == TrialState.PRUNED else {},
                system_attrs={"constraints": t["constraints"]} if "constraints" in t else {},
            )
        )
    return s


out = []
for h in [
    history("complete", 40),
    history("few", 12, seed=1),
    history("pruned, infeasible and running", 40, pruned=8, infeasible=8, running=6, seed=12),
]:
    s = study(h)
    h["suggestions"] = []
    for seed in range(400):
        s.sampler = optuna.samplers.TPESampler(seed=seed)
        t = s.ask(SPACE)
        h["suggestions"].append([float(f"{t.params[k]:.6g}") if k != "choice" else t.params[k] for k in SPACE])
        s.tell(t, state=TrialState.FAIL)
    out.append(h)
print(json.dumps(out, separators=(",", ":")))
