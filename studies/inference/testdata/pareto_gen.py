"""Pareto fronts and hypervolumes as pymoo and Optuna compute them.

    pip install pymoo optuna==5.0.0
    python pareto_gen.py > pareto.json
"""
import json
import numpy as np
from optuna._hypervolume import compute_hypervolume
from pymoo.indicators.hv import HV
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

rng = np.random.default_rng(5)
cases = []
for directions, n in [("MI", 12), ("II", 40), ("AI", 25), ("III", 30), ("AIA", 60), ("I", 5), ("AI", 1)]:
    directions = ["MAXIMIZE" if c == "A" else "MINIMIZE" for c in directions]
    d = len(directions)
    points = rng.random((n, d)).round(3)
    if d > 1 and n > 20:  # some ties and repeats
        points[:5, 0] = 0.25
        points[6] = points[5]
    sign = np.array([-1 if x == "MAXIMIZE" else 1 for x in directions])
    reference = np.where(sign < 0, 0.1, 0.9)
    loss, ref = points * sign, reference * sign
    hv = float(HV(ref_point=ref)(loss)) if d > 1 else float(max(0, (ref - loss).max()))
    inside = loss[(loss < ref).all(axis=1)]
    optuna = float(compute_hypervolume(inside, ref)) if len(inside) else 0.0
    assert abs(hv - optuna) < 1e-9, (hv, optuna)
    front = sorted(int(i) for i in NonDominatedSorting().do(loss, only_non_dominated_front=True))
    cases.append({"directions": directions, "points": points.tolist(), "reference": reference.tolist(), "front": front, "hypervolume": hv})
print(json.dumps(cases))
