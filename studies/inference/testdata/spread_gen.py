"""Makes spread.json: SciPy's chi-square intervals of standard deviations, and smallest effects of sequences.

Run: python spread_gen.py > spread.json   (needs scipy)
"""
import json
import math
import sys

import scipy
from scipy import stats


def interval(sd, n, alpha):
    q = stats.chi2.ppf([1 - alpha / 2, alpha / 2], n - 1)
    return [sd * math.sqrt((n - 1) / x) for x in q]


sds = [dict(sd=sd, n=n, alpha=a, interval=interval(sd, n, a)) for sd, n, a in ((1.0, 5, 0.05), (0.0048, 2, 0.05), (0.02, 12, 0.1), (3.0, 200, 0.01))]
looks = []
for most, k, arms, sd, power in ((12, 4, 1, 1.0, 0.8), (12, 4, 4, 0.005, 0.8), (8, 3, 2, 0.02, 0.9)):
    c = stats.t.ppf(1 - 0.05 / arms / (2 * k), most - 1)
    looks.append(dict(most=most, looks=k, arms=arms, sd=sd, power=power, value=(c + stats.t.ppf(power, most - 1)) * sd / math.sqrt(most)))
json.dump(dict(versions=dict(python=sys.version.split()[0], scipy=scipy.__version__), sds=sds, looks=looks), sys.stdout, indent=1)
print()
