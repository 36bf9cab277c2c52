"""Reference values for Incumbents: numpy and scipy. Prints JSON."""
import json
import numpy as np
from scipy import stats

CASES = [
    # candidates -> data sets -> values
    [[[0.80, 0.60, 0.70]], [[0.78]], [[0.74, 0.76, 0.75]], [[0.2, 0.3]]],
    [[[0.5, 0.6], [0.3, 0.35]], [[0.7], [0.2]], [[0.55, 0.52, 0.58], [0.36]]],
    [[[1.0]], [[2.0]], [[1.5]]],
]
out = []
for cs in CASES:
    sq = sum(np.sum((np.array(b) - np.mean(b)) ** 2) for c in cs for b in c)
    nu = sum(len(b) - 1 for c in cs for b in c)
    half = stats.t.ppf(0.95, nu) * np.sqrt(sq / nu) if nu else 0.0
    means = [float(np.mean([np.mean(b) for b in c])) for c in cs]
    width = [float(np.sqrt(sum(1 / len(b) for b in c)) / len(c)) for c in cs]
    out.append({"candidates": cs, "means": means,
                "lower": [m - half * w for m, w in zip(means, width)],
                "upper": [m + half * w for m, w in zip(means, width)]})
print(json.dumps({"made_by": f"numpy {np.__version__}, scipy {__import__('scipy').__version__}", "cases": out}, indent=1))
