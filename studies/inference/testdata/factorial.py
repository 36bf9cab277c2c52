"""Makes factorial.json: main effects and interactions by statsmodels' least squares, Lenth's numbers by NumPy.

Run: python factorial.py > factorial.json   (needs numpy, scipy, pandas, statsmodels)
Columns are built here from the definition of the terms, not from any design package.
"""
import itertools
import json
import sys

import numpy as np
import pandas as pd
import scipy
import statsmodels
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats

rng = np.random.default_rng(20261201)


def column(levels, goal, absent=None):
    """[level = goal] - 1/L, and 0 where the factor does not matter."""
    levels = np.asarray(levels)
    n = len(set(levels[levels >= 0].tolist()))
    return np.where(levels < 0, 0.0, (levels == goal) - 1.0 / n)


def case(name, counts, runs, scores, terms):
    """runs: levels by factor (-1: absent), scores: by run a dict seed -> score; terms: lists of (factor, goal)."""
    rows = [(r, s, y) for r, by in enumerate(scores) for s, y in sorted(by.items())]
    frame = pd.DataFrame(rows, columns=["cell", "seed", "y"])
    lv = np.array([runs[r] for r, _, _ in rows])
    names = []
    for i, t in enumerate(terms):
        x = np.ones(len(rows))
        for f, goal in t:
            x = x * column(lv[:, f], goal)
        frame[f"x{i}"] = x * (1 if len(t) == 1 else 2)  # an interaction is half a difference of differences
        names.append(f"x{i}")
    seeds = " + C(seed)" if frame.seed.nunique() > 1 else ""
    fit = smf.ols("y ~ " + " + ".join(names) + seeds, frame).fit()
    out = dict(name=name, counts=counts, runs=runs,
               scores=[{str(s): y for s, y in by.items()} for by in scores],
               terms=[[list(x) for x in t] for t in terms], estimate=[fit.params[x] for x in names])
    unit = np.array([np.sqrt(fit.normalized_cov_params.loc[x, x]) for x in names])
    if seeds:
        pure = smf.ols("y ~ C(cell) + C(seed)", frame).fit()
        s, df = np.sqrt(pure.mse_resid), pure.df_resid
        se = s * unit
        est = np.array(out["estimate"])
        half = stats.t.ppf(0.975, df) * se
        out.update(residual=s, df=df, se=se.tolist(), low=(est - half).tolist(), high=(est + half).tolist(),
                   p=(2 * stats.t.sf(abs(est) / se, df)).tolist())
        if fit.df_resid > df:
            f = (fit.ssr - pure.ssr) / (fit.df_resid - df) / pure.mse_resid
            out["lack"] = float(stats.f.sf(f, fit.df_resid - df, df))
    return out


def score(runs, effects, seeds, noise=0.01, drop=()):
    shift = rng.normal(0, 0.02, seeds)
    out = []
    for r, lv in enumerate(runs):
        base = 0.6 + sum(e for t, e in effects if all(lv[f] == g for f, g in t))
        out.append({s: float(base + shift[s] + rng.normal(0, noise)) for s in range(seeds) if (r, s) not in drop})
    return out


def pairs(k):
    return [[(a, 1), (b, 1)] for a, b in itertools.combinations(range(k), 2)]


def full(counts):
    return [list(x) for x in itertools.product(*[range(c) for c in counts])]


cases = []
r = full([2, 2, 2])
cases.append(case("2^3, three seeds", [2, 2, 2], r, score(r, [([(0, 1)], 0.03), ([(1, 1)], -0.02), ([(0, 1), (1, 1)], 0.04)], 3),
                  [[(0, 1)], [(1, 1)], [(2, 1)]] + pairs(3)))
cases.append(case("2^3, trials missing", [2, 2, 2], r,
                  score(r, [([(0, 1)], 0.03), ([(0, 1), (2, 1)], 0.02)], 3, drop={(0, 1), (3, 2), (5, 0), (5, 1), (5, 2)}),
                  [[(0, 1)], [(1, 1)], [(2, 1)]] + pairs(3)))
r = full([3, 2])
cases.append(case("three levels and two", [3, 2], r, score(r, [([(0, 1)], 0.03), ([(0, 2), (1, 1)], -0.02)], 4),
                  [[(0, 1)], [(0, 2)], [(1, 1)], [(0, 1), (1, 1)], [(0, 2), (1, 1)]]))
# nested: factor 1 matters only where factor 0 is at level 0
r = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, -1, 0], [1, -1, 1]]
cases.append(case("nested", [2, 2, 2], r, score(r, [([(0, 1)], -0.05), ([(1, 1)], 0.02)], 3),
                  [[(0, 1)], [(1, 1)], [(2, 1)], [(0, 1), (2, 1)], [(1, 1), (2, 1)]]))
r = full([2, 2, 2, 2])
lack = score(r, [([(0, 1), (1, 1), (2, 1)], 0.2)], 2, noise=0.005)
cases.append(case("three factors together", [2] * 4, r, lack, [[(f, 1)] for f in range(4)] + pairs(4)))

# Plackett and Burman's 12 runs by their generating row; five factors, the last run at the lowest levels.
row = [1, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1]
pb = np.array([np.roll(row, i) for i in range(11)] + [[-1] * 11])[:, :5]
r = ((pb + 1) // 2).tolist()
pbcase = case("Plackett-Burman", [2] * 5, r, score(r, [([(0, 1)], 0.05), ([(2, 1)], -0.03)], 2), [[(f, 1)] for f in range(5)])
x1 = np.column_stack([np.ones(12), pb])
pbcase["weights"] = [dict(factors=[a, b], w=np.linalg.lstsq(x1, (pb[:, a] * pb[:, b]).astype(float), rcond=None)[0][1:].round(12).tolist())
                     for a, b in itertools.combinations(range(5), 2)]
cases.append(pbcase)


def lenth(c):
    """Lenth (1989), Quick and easy analysis of unreplicated factorials."""
    c = np.abs(c)
    s0 = 1.5 * np.median(c)
    pse = 1.5 * np.median(c[c < 2.5 * s0])
    m = len(c)
    return dict(pse=pse, me=stats.t.ppf(0.975, m / 3) * pse, sme=stats.t.ppf((1 + 0.95 ** (1 / m)) / 2, m / 3) * pse, m=m)


unreplicated = []
for name, k, half in (("2^4", 4, False), ("2^(4-1)", 4, True), ("2^3", 3, False)):
    r = full([2] * k)
    if half:
        r = [x for x in full([2] * 3)]
        r = [x + [(sum(x)) % 2] for x in r]  # D = ABC in levels -1 and 1: the parity
    x = 2 * np.array(r) - 1
    y = 0.5 + 0.03 * x[:, 0] - 0.02 * x[:, 1] + 0.012 * x[:, 0] * x[:, 2] + rng.normal(0, 0.004, len(r))
    contrasts, seen = [], set()
    for size in range(1, k + 1):
        for t in itertools.combinations(range(k), size):
            p = np.prod(x[:, t], axis=1)
            if abs(p.sum()) == len(r):
                continue
            key = tuple((p * p[0]).tolist())
            if key in seen:
                continue
            seen.add(key)
            contrasts.append((list(t), float(2 * (p @ y) / len(r))))
    l = lenth(np.array([c for _, c in contrasts]))
    small = [(t, c) for t, c in contrasts if len(t) <= 2]
    df = l["m"] / 3
    l.update(name=name, runs=r, y=y.tolist(), terms=[t for t, _ in small], estimate=[c for _, c in small],
             p=[2 * stats.t.sf(abs(c) / l["pse"], df) for _, c in small])
    unreplicated.append(l)

n = 10
json.dump(dict(
    tool=f"statsmodels {statsmodels.__version__}, scipy {scipy.__version__}, numpy {np.__version__}",
    cases=cases, unreplicated=unreplicated,
    halfnormal=stats.halfnorm.ppf((np.arange(1, n + 1) - 0.5) / n).tolist(),
), sys.stdout, indent=1, default=float)
print()
