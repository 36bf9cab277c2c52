"""Makes sizes.json: effect sizes, power, the noise floor, Welch's test with the degrees of freedom of the pairs, replicates needed.

Run: python gen_sizes.py > sizes.json   (needs numpy, scipy, statsmodels)
"""
import json
import sys
from importlib.metadata import version

import numpy as np
from scipy import integrate, optimize, special, stats
from statsmodels.stats.power import TTestPower

rng = np.random.default_rng(20261129)


def nct(t, df, d):
    """Distribution of the noncentral t by quadrature: scipy.stats.nct gives NaN or some 1e-6 of error far out. Elsewhere they agree."""
    f = lambda s: stats.norm.cdf(t * s - d) * stats.chi.pdf(s * np.sqrt(df), df) * np.sqrt(df)
    edges = [0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 6, 12]
    x = sum(integrate.quad(f, a, b, epsabs=1e-14, epsrel=1e-13, limit=200)[0] for a, b in zip(edges, edges[1:]))
    if abs(d) < 10:
        y = stats.nct.cdf(t, df, d)
        assert np.isnan(y) or abs(x - y) < 1e-5, (t, df, d, x, y)
    return x


def noncentrality(t, df, p):
    return optimize.brentq(lambda d: nct(t, df, d) - p, t - 20, t + 20, xtol=1e-13)


def hedges(df):
    return np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2)


def standard(d, root, df):
    return dict(d=d * hedges(df), d_low=noncentrality(d * root, df, 0.975) / root, d_high=noncentrality(d * root, df, 0.025) / root)


def paired(x, y):
    x, y = np.asarray(x), np.asarray(y)
    d, n = y - x, len(x)
    score = np.where(y > x, 1, np.where(y < x, 0, 0.5))
    b = stats.bootstrap((score,), np.mean, method="percentile", n_resamples=200000, rng=np.random.default_rng(1)).confidence_interval
    return dict(x=x.tolist(), y=y.tolist(), above=score.mean(), above_low=b.low, above_high=b.high, **standard(d.mean() / d.std(ddof=1), np.sqrt(n), n - 1))


def free(x, y):
    x, y = np.asarray(x), np.asarray(y)
    nx, ny = len(x), len(y)
    above = lambda x, y, axis=-1: stats.mannwhitneyu(y, x, axis=axis).statistic / (nx * ny)
    b = stats.bootstrap((x, y), above, method="percentile", n_resamples=20000, rng=np.random.default_rng(1)).confidence_interval
    pooled = np.sqrt(((nx - 1) * x.var(ddof=1) + (ny - 1) * y.var(ddof=1)) / (nx + ny - 2))
    return dict(x=x.tolist(), y=y.tolist(), above=above(x, y), above_low=b.low, above_high=b.high,
                **standard((y.mean() - x.mean()) / pooled, np.sqrt(nx * ny / (nx + ny)), nx + ny - 2))


x = rng.normal(0.6, 0.01, 12)
paireds = [
    paired(x, x + rng.normal(0.004, 0.005, 12)),
    paired(x[:5], x[:5] + [0.01, 0.02, -0.01, 0.015, 0.0]),
    paired(x[:3], x[:3] + [0.011, 0.012, 0.009]),
    paired(x[:8], x[:8] - rng.normal(0.01, 0.01, 8)),
]
frees = [free(x[:7], rng.normal(0.605, 0.01, 5)), free(x[:4], rng.normal(0.63, 0.02, 4)), free(x[:3], rng.normal(0.59, 0.01, 12))]

power = [dict(n=n, delta=d, sd=s, alpha=a, power=float(TTestPower().power(d / s, n, a))) for n, d, s, a in
         [(2, 1, 1, 0.05), (3, 0.01, 0.005, 0.05), (5, 0.01, 0.005, 0.0125), (12, 0.5, 1, 0.05), (12, 1, 1, 0.05), (40, 0.3, 1, 0.01), (12, 0, 1, 0.05)]]

floors = []
for n in (2, 3, 5, 12):
    v = rng.normal(0.6, 0.005, n)
    s = v.std(ddof=1)
    floors.append(dict(values=v.tolist(), sd=s, low=s * np.sqrt((n - 1) / stats.chi2.ppf(0.975, n - 1)), high=s * np.sqrt((n - 1) / stats.chi2.ppf(0.025, n - 1))))


def unpair(x, y, alone_x=(), alone_y=()):
    """Correlated by at most 0.1 over their pairs: all values, a negative covariance kept, the degrees of freedom of the pairs."""
    x, y = np.asarray(x), np.asarray(y)
    r = stats.pearsonr(x, y)[0]
    assert r <= 0.1, r
    a, b = np.append(x, alone_x), np.append(y, alone_y)
    na, nb = len(a), len(b)
    se = np.sqrt(a.var(ddof=1) / na + b.var(ddof=1) / nb - 2 * min(0, r * a.std(ddof=1) * b.std(ddof=1)) * len(x) / (na * nb))
    df = len(x) - 1
    mean = b.mean() - a.mean()
    h = stats.t.ppf(0.975, df) * se
    out = dict(x=x.tolist(), y=y.tolist(), alone_x=list(alone_x), alone_y=list(alone_y), r=r, mean=mean, se=se, df=float(df), p=2 * stats.t.sf(abs(mean) / se, df), low=mean - h, high=mean + h)
    if r >= 0:  # then the statistic is Welch's own
        assert abs(stats.ttest_ind(b, a, equal_var=False).statistic - mean / se) < 1e-9
    elif not len(alone_x) and not len(alone_y):  # then it is the paired test
        assert abs(stats.ttest_rel(y, x).pvalue - out["p"]) < 1e-9
    return out


unpaireds = [
    unpair([0.50, 0.52, 0.49], [0.61, 0.58, 0.60]),
    unpair([0.50, 0.52, 0.49, 0.53], [0.61, 0.612, 0.63, 0.631]),
    unpair([0.50, 0.52, 0.49, 0.55], [0.61, 0.60, 0.63, 0.58], [0.51, 0.54, 0.50], [0.62]),
    unpair([0.1, 0.2, 0.3, 0.4], [0.5, 0.3, 0.6, 0.42], [0.35], []),
]


def anytime(n, g, alpha):
    v = n - 1
    a = (np.sqrt(1 + n * g) / alpha) ** (2 / (v + 1))
    return np.inf if a >= 1 + n * g else np.sqrt(v * (a - 1) / (1 - a / (1 + n * g)))


def needs(d, margin, rule):
    d = np.asarray(d)
    n, m, s = len(d), abs(d.mean()), d.std(ddof=1)
    for k in range(n + 1, 10001):
        h = stats.t.ppf(1 - 0.05 / 8, k - 1) if rule == "looks" else anytime(k, 4, 0.05)
        if (h + stats.t.ppf(0.8, k - 1)) * s / np.sqrt(k) <= max(m, margin - m):
            return dict(d=d.tolist(), margin=margin, rule=rule, needs=k - n)
    return dict(d=d.tolist(), margin=margin, rule=rule, needs=0)


flat = [0.01, -0.01, 0.012, -0.012, 0.008, -0.009, 0.011, -0.011]
small = [0.011, 0.002, -0.001, 0.009, 0.003, 0.004, -0.002, 0.006]
needed = [needs(flat, 0, "looks"), needs(flat, 0.006, "looks"), needs(flat, 0.01, "looks"), needs(small, 0, "looks"), needs(small[:5], 0, "looks"),
          needs(small, 0, "anytime"), needs(small[:5], 0.01, "anytime")]

json.dump(dict(
    tool=", ".join(f"{m} {version(m)}" for m in ("scipy", "statsmodels", "numpy")),
    paired=paireds, free=frees, power=power, floors=floors, unpaired=unpaireds, needs=needed,
), sys.stdout, indent=1, default=float)
print()
