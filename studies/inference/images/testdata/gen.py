"""Makes means.json: two-level bootstraps of plain means, by SciPy and by brute force in NumPy.

    pip install numpy scipy
    python3 gen.py > means.json
"""
import json
import sys

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(5)
CASES = {
    # seeds n, pictures N, standard deviations between seeds, pictures, and of a seed on a picture
    "seeds": (6, 40, 0.08, 0.05, 0.1),
    "pictures": (5, 40, 0.005, 0.5, 0.1),
    "both": (8, 30, 0.03, 0.12, 0.5),
}
out = {"tool": f"scipy {scipy.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}", "cases": []}
for name, (n, m, a, b, e) in CASES.items():
    seed, picture = rng.normal(0, a, n), rng.normal(0, b, m)
    ref = np.round(0.5 + rng.normal(0, 0.1, (n, m)), 4)
    var = np.round(ref + seed[:, None] + picture[None, :] + rng.normal(0, e, (n, m)), 4)
    y = var - ref
    # pictures alone, seeds fixed: the paired bootstrap of two means
    r = stats.bootstrap((ref.mean(0), var.mean(0)), lambda p, q, axis: q.mean(axis) - p.mean(axis), paired=True,
                        vectorized=True, n_resamples=100_000, method="percentile", rng=np.random.default_rng(1))
    # both, crossed: every draw takes n seeds and m pictures
    g = np.random.default_rng(2)
    joint = np.array([y[np.ix_(g.integers(0, n, n), g.integers(0, m, m))].mean() for _ in range(100_000)])
    # analysis of variance of the crossed layout: mean squares and components of the mean's variance
    mean, rows, cols = y.mean(), y.mean(1), y.mean(0)
    within = ((y - rows[:, None] - cols[None, :] + mean) ** 2).sum() / ((n - 1) * (m - 1)) / (n * m)
    between = rows.var(ddof=1) / n
    pictures = cols.var(ddof=1) / m
    t = stats.t.ppf(.975, n - 1) * between ** .5
    out["cases"].append({
        "name": name, "reference": ref.tolist(), "variant": var.tolist(), "mean": mean,
        "image_se": float(r.standard_error), "image_low": float(r.confidence_interval.low), "image_high": float(r.confidence_interval.high),
        "joint_sd": joint.std(ddof=1), "joint_low": np.quantile(joint, .025), "joint_high": np.quantile(joint, .975),
        "seeds": between - within, "images": pictures - within, "both": within,
        "seed_low": mean - t, "seed_high": mean + t,
    })
json.dump(out, sys.stdout)
