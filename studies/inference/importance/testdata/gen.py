"""Makes importance.json: a regression tree and a forest of scikit-learn, the shares that Optuna's fANOVA finds in that
forest, and the shares of Optuna's PED-ANOVA.

Run: python gen.py > importance.json   (needs optuna, scikit-learn, numpy)
"""
import itertools
import json
import logging
import sys
import warnings

import numpy as np
import optuna
import sklearn
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.importance._fanova._fanova import _Fanova
from sklearn.tree import DecisionTreeRegressor

optuna.logging.set_verbosity(logging.WARNING)
warnings.simplefilter("ignore")
rng = np.random.default_rng(20261202)


def dump(t):
    return dict(feature=t.feature.tolist(), threshold=t.threshold.tolist(), low=t.children_left.tolist(),
                high=t.children_right.tolist(), value=t.value.reshape(-1).tolist())


# A forest over three numbers, and what Optuna's evaluator finds in it.
bounds = np.array([[0.0, 1.0], [-2.0, 3.0], [10.0, 50.0]])
n = 150
x = bounds[:, 0] + rng.random((n, 3)) * (bounds[:, 1] - bounds[:, 0])
y = 2 * x[:, 0] + 0.3 * x[:, 1] ** 2 + 0.05 * x[:, 0] * x[:, 2] + rng.normal(0, 0.1, n)
f = _Fanova(n_trees=8, max_depth=64, min_samples_split=2, min_samples_leaf=5, seed=1)
f.fit(x, y, bounds, [np.array([i]) for i in range(3)])
single = [f.get_importance(i) for i in range(3)]
pairs = []
for a, b in itertools.combinations(range(3), 2):
    share = []
    for t in f._trees:
        v = t.get_marginal_variance(np.array([a, b])) - t.get_marginal_variance(np.array([a])) - t.get_marginal_variance(np.array([b]))
        share.append(v / t.variance)
    pairs.append(dict(a=a, b=b, value=np.mean(share), sd=np.std(share)))
forest = dict(bounds=bounds.tolist(), trees=[dump(e.tree_) for e in f._forest.estimators_],
              single=[dict(value=v, sd=s) for v, s in single], pairs=pairs)

# One tree over all points, from single-precision numbers, since scikit-learn rounds to these.
tx = rng.random((90, 3)).astype(np.float32)
ty = np.sin(6 * tx[:, 0]) + tx[:, 1] * tx[:, 2] + rng.normal(0, 0.1, 90)
one = DecisionTreeRegressor(min_samples_leaf=4, random_state=0).fit(tx, ty)
tree = dict(x=tx.astype(float).tolist(), y=ty.tolist(), leaf=4, tree=dump(one.tree_))

# PED-ANOVA over all kinds of parameters, one of which matters at some points only.
space = dict(
    lr=FloatDistribution(1e-4, 1e-1, log=True), mix=FloatDistribution(0, 0.5), scale=FloatDistribution(0, 0.9, step=0.1),
    epochs=IntDistribution(3, 90), width=IntDistribution(4, 256, log=True), few=IntDistribution(0, 5),
    policy=CategoricalDistribution(["none", "randaugment", "trivial"]), magnitude=IntDistribution(1, 30))
kinds = [dict(name=k, kind="categorical" if isinstance(d, CategoricalDistribution) else "int" if isinstance(d, IntDistribution) else "float",
              **({"choices": list(d.choices)} if isinstance(d, CategoricalDistribution) else
                 {"low": d.low, "high": d.high, "log": d.log, **({"step": d.step} if d.step and not isinstance(d, IntDistribution) else {})}))
         for k, d in space.items()]
points = []
for _ in range(120):
    p = dict(lr=float(np.exp(rng.uniform(np.log(1e-4), np.log(1e-1)))), mix=float(rng.uniform(0, 0.5)), scale=float(rng.integers(0, 10) * 0.1),
             epochs=int(rng.integers(3, 91)), width=int(np.exp(rng.uniform(np.log(4), np.log(256)))), few=int(rng.integers(0, 6)),
             policy=["none", "randaugment", "trivial"][rng.integers(0, 3)])
    p["scale"] = min(p["scale"], 0.9)
    if p["policy"] == "randaugment":
        p["magnitude"] = int(rng.integers(1, 31))
    s = -(np.log10(p["lr"]) + 2.2) ** 2 - p["mix"] + 0.02 * p["few"] + (p["policy"] == "randaugment") * 0.03 * p.get("magnitude", 0) + rng.normal(0, 0.1)
    points.append((p, float(s)))


def ped(direction, some):
    study = optuna.create_study(direction=direction)
    for p, s in some:
        study.add_trial(optuna.trial.create_trial(params=p, distributions={k: space[k] for k in p}, value=s))
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())


json.dump(dict(
    tool=f"optuna {optuna.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
    forest=forest, tree=tree,
    ped=dict(space=kinds, points=[dict(params=p, score=s) for p, s in points],
             maximize=ped("maximize", points), minimize=ped("minimize", points), first40=ped("maximize", points[:40])),
), sys.stdout, indent=None, separators=(",", ":"), default=float)
print()
