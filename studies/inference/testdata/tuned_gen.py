"""Makes tuned.json: what NumPy, SciPy and statsmodels compute for comparisons of tuned arms.

Run: python tuned_gen.py > tuned.json   (needs numpy, scipy, statsmodels, pandas)
Draws come from a congruential generator that the Go test has, too, so that both bootstraps are the same to rounding.
"""
import itertools
import json
import sys
import warnings

import numpy as np
import pandas
import scipy
import statsmodels
import statsmodels.formula.api as smf
from scipy import stats

warnings.filterwarnings("ignore")
DRAWS = 2000


class Draws:
    """x -> 6364136223846793005 x + 1442695040888963407 modulo 2^64, from 1; the index is x >> 33 modulo n."""

    def __init__(self):
        self.x = 1

    def pick(self, n):
        self.x = (self.x * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.x >> 33) % n


def brute(diffs):
    g, means = Draws(), []
    for _ in range(DRAWS):
        outer = []
        for _ in diffs:
            d = diffs[g.pick(len(diffs))]
            outer.append(np.mean([d[g.pick(len(d))] for _ in d]))
        means.append(np.mean(outer))
    return np.percentile(means, [2.5, 97.5]).tolist()


def case(name, ref, var):
    diffs = [np.asarray(v, float) - np.asarray(r, float) for r, v in zip(ref, var)]
    means = np.array([d.mean() for d in diffs])
    out = dict(name=name, reference=[list(map(float, r)) for r in ref], variant=[list(map(float, v)) for v in var],
               mean=means.mean(), boot=brute(diffs), between=None, within=None, p=None, low=None, high=None, scipy=None)
    if len(means) > 1:
        t = stats.ttest_1samp(means, 0)
        ci = t.confidence_interval(0.95)
        out.update(p=t.pvalue, low=ci.low, high=ci.high)
    if all(len(d) == 1 for d in diffs):  # one level: an ordinary bootstrap
        b = stats.bootstrap((means,), np.mean, n_resamples=100000, method="percentile", rng=np.random.default_rng(1))
        out["scipy"] = [b.confidence_interval.low, b.confidence_interval.high]
    k = {len(d) for d in diffs}
    if len(k) == 1 and k != {1} and len(diffs) > 1:  # balanced: REML has the closed form
        frame = pandas.DataFrame([(r, x) for r, d in enumerate(diffs) for x in d], columns=["run", "d"])
        m = smf.mixedlm("d ~ 1", frame, groups=frame["run"]).fit(reml=True)
        out.update(between=float(np.sqrt(m.cov_re.iloc[0, 0])), within=float(np.sqrt(m.scale)))
    return out


rng = np.random.default_rng(20261128)


def nested(shape, effect, between, within, base=0.6):
    ref, var = [], []
    for k in shape:
        hpo = rng.normal(0, between / np.sqrt(2), 2)
        ref.append((base + hpo[0] + rng.normal(0, within / np.sqrt(2), k)).round(6))
        var.append((base + effect + hpo[1] + rng.normal(0, within / np.sqrt(2), k)).round(6))
    return ref, var


cases = [
    case("three tunings of four seeds", *nested([4, 4, 4], 0.02, 0.01, 0.004)),
    case("five tunings of three seeds", *nested([3] * 5, -0.01, 0.02, 0.002)),
    case("unequal numbers of seeds", *nested([4, 2, 3, 1], 0.01, 0.01, 0.01)),
    case("one level", *nested([1] * 7, 0.005, 0.01, 0.002)),
    case("one tuning", *nested([5], 0.01, 0.01, 0.005)),
]

curves = []
for values in ([0.3], [0.5, 0.2], [0.1, 0.9, 0.4, 0.4, 0.7], rng.uniform(0, 1, 8).round(4).tolist()):
    best = [float(np.mean([max(c) for c in itertools.combinations(values, n)])) for n in range(1, len(values) + 1)]
    least = [float(np.mean([min(c) for c in itertools.combinations(values, n)])) for n in range(1, len(values) + 1)]
    curves.append(dict(values=values, max=best, min=least))

json.dump(dict(versions=dict(python=sys.version.split()[0], numpy=np.__version__, scipy=scipy.__version__, statsmodels=statsmodels.__version__),
               draws=DRAWS, cases=cases, curves=curves), sys.stdout, indent=1)
print()
