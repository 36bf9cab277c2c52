"""Makes inference.json: what SciPy and statsmodels compute for the cases of the tests.

Run: python gen.py > inference.json   (needs numpy, scipy, statsmodels)
Where a value does not exist it is null.
"""
import json
import sys

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired


def compare(name, x, y):
    """x: reference, y: variant, paired by position; Welch on the same numbers."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    d = y - x
    n = len(d)
    t = stats.ttest_rel(y, x)
    ci = t.confidence_interval(0.95)
    wide = t.confidence_interval(1 - 0.05 / 4)
    w = stats.ttest_ind(y, x, equal_var=False)
    wci = w.confidence_interval(0.95)
    return dict(
        name=name, reference=x.tolist(), variant=y.tolist(),
        mean=d.mean(), sd=d.std(ddof=1), se=d.std(ddof=1) / np.sqrt(n), df=float(n - 1),
        p=t.pvalue, low=ci.low, high=ci.high, wide4_low=wide.low, wide4_high=wide.high,
        correlation=stats.pearsonr(x, y)[0] if n > 2 else None,
        welch=dict(p=w.pvalue, df=w.df, low=wci.low, high=wci.high),
    )


rng = np.random.default_rng(20261123)
base = [0.624, 0.628, 0.631, 0.627]
cases = [
    compare("mosaic off", base, [0.579, 0.570, 0.546, 0.586]),
    compare("randaugment on", base, [0.577, 0.579, 0.576, 0.568]),
    compare("lr0 / 10", base, [0.250, 0.293, 0.279, 0.260]),
    compare("two pairs", [0.5, 0.6], [0.52, 0.59]),
    compare("three pairs", [0.5, 0.6, 0.55], [0.52, 0.59, 0.58]),
    compare("no effect, 12", rng.normal(0.6, 0.01, 12), rng.normal(0.6, 0.02, 12)),
    compare("large values", 1e6 + rng.normal(0, 1, 8), 1e6 + rng.normal(0.5, 2, 8)),
]

unequal_a = rng.normal(0.60, 0.005, 7)
unequal_b = rng.normal(0.58, 0.02, 4)
w = stats.ttest_ind(unequal_b, unequal_a, equal_var=False)
wci = w.confidence_interval(0.95)

families = []
for p in ([0.011, 0.73, 0.018, 0.0003], [0.04, 0.03, 0.02, 0.01], [0.5], [0.02, 0.02, 0.9, 0.9], [0.2, 0.3, 0.6],
          rng.uniform(0, 0.1, 14).tolist()):
    reject, adjusted, _, _ = multipletests(p, alpha=0.05, method="holm")
    families.append(dict(p=p, holm=adjusted.tolist(), reject=reject.tolist()))

detectable = []
for n, sd, alpha, power in ((2, 0.01, 0.05, 0.8), (5, 0.0048, 0.05, 0.8), (5, 0.0048, 0.0125, 0.8), (12, 1.0, 0.05, 0.9), (40, 2.0, 0.01, 0.95)):
    df = n - 1
    detectable.append(dict(n=n, sd=sd, alpha=alpha, power=power,
                           value=(stats.t.ppf(1 - alpha / 2, df) + stats.t.ppf(power, df)) * sd / np.sqrt(n)))

# Equivalence: a 90 % interval inside the margin is the two one-sided tests at 0.05 (TOST).
small = rng.normal(0, 0.002, 6)
x = rng.normal(0.6, 0.005, 6)
tost = []
for margin in (0.001, 0.002, 0.003, 0.005, 0.02):
    p, _, _ = ttost_paired(x + small, x, -margin, margin)
    tost.append(dict(margin=margin, p=float(p)))

json.dump(dict(
    tool=f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, numpy {np.__version__}",
    cases=cases,
    unequal=dict(reference=unequal_a.tolist(), variant=unequal_b.tolist(), p=w.pvalue, df=w.df, low=wci.low, high=wci.high,
                 mean=unequal_b.mean() - unequal_a.mean()),
    families=families,
    detectable=detectable,
    tost=dict(reference=x.tolist(), variant=(x + small).tolist(), margins=tost),
), sys.stdout, indent=1, default=float)
print()
