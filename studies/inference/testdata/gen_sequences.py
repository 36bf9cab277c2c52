"""Makes sequences.json: the two sequential rules on paired differences, at most 12 pairs, no futility, no margin.

Multipliers of s/sqrt(n), and for effects in units of s the chance that zero is excluded and the mean number of pairs, by
simulation of 100,000 sequences each (standard errors of at most 0.0016 and 0.01).

Run: python gen_sequences.py > sequences.json   (needs numpy, scipy)
"""
import json
import sys
from importlib.metadata import version

import numpy as np
from scipy import stats

ALPHA, MOST, LOOKS, G = 0.05, 12, (3, 5, 8, 12), 4


def anytime(n):
    v = n - 1
    a = (np.sqrt(1 + n * G) / ALPHA) ** (2 / (v + 1))
    return np.inf if a >= 1 + n * G else np.sqrt(v * (a - 1) / (1 - a / (1 + n * G)))


rules = dict(looks={n: stats.t.ppf(1 - ALPHA / (2 * len(LOOKS)), n - 1) for n in LOOKS},
             anytime={n: anytime(n) for n in range(2, MOST + 1)})

rng = np.random.default_rng(20261130)
rows = []
for effect in (0, 0.5, 1, 1.5, 2, 3):
    x = rng.normal(effect, 1, (100_000, MOST))
    for rule, c in rules.items():
        used = np.full(len(x), MOST)
        open_ = np.ones(len(x), bool)
        for n in c:
            t = np.abs(x[:, :n].mean(1)) / (x[:, :n].std(1, ddof=1) / np.sqrt(n))
            now = open_ & (t > c[n])
            used[now], open_ = n, open_ & ~now
        rows.append(dict(rule=rule, effect=effect, settled=float((~open_).mean()), mean=float(used.mean())))

json.dump(dict(
    tool=", ".join(f"{m} {version(m)}" for m in ("numpy", "scipy")),
    multipliers={rule: {str(n): None if np.isinf(h) else h for n, h in c.items()} for rule, c in rules.items()}, rows=rows,
), sys.stdout, indent=1, default=float)
print()
