"""Numbers for TestBetween: Welch's test of two samples of paired differences, by SciPy.

python between.py > between.json
"""
import json
import random

import scipy
from scipy import stats

random.seed(20)
cases = []
for na, nb in ((3, 3), (5, 4), (4, 12), (8, 5), (2, 6)):
    ra = [random.gauss(0.6, 0.01) for _ in range(na)]
    va = [x + random.gauss(-0.03, 0.008) for x in ra]
    rb = [random.gauss(0.5, 0.02) for _ in range(nb)]
    vb = [x + random.gauss(-0.01, 0.02) for x in rb]
    da = [v - r for r, v in zip(ra, va)]
    db = [v - r for r, v in zip(rb, vb)]
    t = stats.ttest_ind(db, da, equal_var=False)
    ci = t.confidence_interval(0.95)
    cases.append({"ReferenceA": ra, "VariantA": va, "ReferenceB": rb, "VariantB": vb, "Mean": sum(db) / nb - sum(da) / na,
                  "DF": t.df, "P": t.pvalue, "Low": ci.low, "High": ci.high})
print(json.dumps({"tool": "SciPy " + scipy.__version__, "cases": cases}, indent=1))
