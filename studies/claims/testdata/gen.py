#!/usr/bin/env python3
"""Writes judge.json: pairs of scores with their t interval, the p value of two one-sided tests, and replicates needed.

  pip install numpy scipy statsmodels
  python gen.py > judge.json
"""
import json
import math

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

rng = np.random.default_rng(20260301)
MARGIN, ALPHA, POWER = 0.2, 0.05, 0.8

pairs = []
for n, mean, sd in [(3, 0.0, 0.02), (5, 0.02, 0.05), (5, 0.1, 0.2), (8, -0.05, 0.1), (8, 0.0, 0.4), (12, 0.15, 0.1), (12, 0.0, 0.25), (12, 0.05, 0.12)]:
    base = rng.normal(60, 1, n)
    to = base + rng.normal(mean, sd, n)
    d = to - base
    half = stats.t.ppf(1 - ALPHA / 2, n - 1) * d.std(ddof=1) / math.sqrt(n)
    # Two one-sided tests of |effect| >= margin, each at ALPHA/2: they reject just where the 1-ALPHA interval is inside.
    p = ttost_paired(to, base, -MARGIN, MARGIN)[0]
    pairs.append({"from": base.tolist(), "to": to.tolist(), "mean": float(d.mean()), "sd": float(d.std(ddof=1)),
                  "low": float(d.mean() - half), "high": float(d.mean() + half), "tost": float(p), "inside": bool(p < ALPHA / 2)})

needed = []
for effect, sd, alpha in [(0.9, 0.9, 0.05), (1.3, 0.4, 0.05), (0.2, 0.9, 0.05), (0.6, 1.5, 0.025), (0.05, 0.3, 0.05), (1.2, 3.0, 0.01)]:
    z = stats.norm.ppf(1 - alpha / 2)
    approx = ((z + stats.norm.ppf(POWER)) * sd / effect) ** 2 + z * z / 2
    exact = TTestPower().solve_power(effect_size=effect / sd, alpha=alpha, power=POWER)
    needed.append({"effect": effect, "sd": sd, "alpha": alpha, "needed": math.ceil(approx), "formula": float(approx), "exact": float(np.squeeze(exact))})

print(json.dumps({"tools": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
                  "margin": MARGIN, "alpha": ALPHA, "pairs": pairs, "needed": needed}, indent=1))
