"""Makes many.json: many arms (Dunnett, e-BH), several data sets (Friedman, Nemenyi, Wilcoxon, partial conjunction, interquartile mean).

Run: python gen_many.py > many.json   (needs numpy, scipy, scikit-posthocs, rliable)
"""
import json
import sys
from importlib.metadata import version

import numpy as np
import scikit_posthocs as sp
from rliable import library, metrics
from scipy import integrate, stats

rng = np.random.default_rng(20261128)


def within(t, l, df):
    """P(|T_i| <= t for all i) by adaptive quadrature; the one-factor form of the correlations l_i l_j."""
    l = np.asarray(l)
    c = np.sqrt(1 - l * l)

    def given(s):
        f = lambda z: stats.norm.pdf(z) * np.prod(stats.norm.cdf((l * z + t * s) / c) - stats.norm.cdf((l * z - t * s) / c))
        return integrate.quad(f, -10, 10, epsabs=1e-13, epsrel=1e-12, limit=200)[0]

    chi = lambda s: given(s) * stats.chi.pdf(s * np.sqrt(df), df) * np.sqrt(df)
    edges = stats.chi.ppf([1e-14, 1e-4, 0.5, 1 - 1e-4, 1 - 1e-14], df) / np.sqrt(df)
    return sum(integrate.quad(chi, a, b, epsabs=1e-12, epsrel=1e-11, limit=200)[0] for a, b in zip(edges, edges[1:]))


def dunnett(reference, arms):
    ours = stats.dunnett(*arms, control=reference, rng=np.random.default_rng(1))
    ci = ours.confidence_interval(0.95)
    n0, ns = len(reference), np.array([len(a) for a in arms])
    df = n0 + ns.sum() - len(arms) - 1
    pooled = np.sqrt((sum(((a - a.mean()) ** 2).sum() for a in arms) + ((reference - reference.mean()) ** 2).sum()) / df)
    t = [(a.mean() - reference.mean()) / (pooled * np.sqrt(1 / len(a) + 1 / n0)) for a in arms]
    l = np.sqrt(ns / (ns + n0))
    return dict(reference=reference.tolist(), arms=[a.tolist() for a in arms], df=float(df), t=t,
                p=[1 - within(abs(x), l, df) for x in t],
                scipy_p=ours.pvalue.tolist(), scipy_low=ci.low.tolist(), scipy_high=ci.high.tolist())


arm = lambda n, m=0.60, s=0.005: rng.normal(m, s, n)
dunnetts = [
    dunnett(arm(5), [arm(5), arm(5, 0.605), arm(5, 0.61), arm(5, 0.595)]),
    dunnett(arm(8), [arm(4), arm(6, 0.606), arm(3, 0.603)]),
    dunnett(arm(3), [arm(12, 0.604)]),
    dunnett(arm(3), [arm(3, 0.61, 0.002), arm(3, 0.63, 0.002)]),
    dunnett(arm(4), [arm(4, 0.60 + 0.001 * i) for i in range(8)]),
]


def ebh(e, alpha):
    """By the definition: the largest k such that k e-values are at least m/(k alpha)."""
    m = len(e)
    k = max([k for k in range(1, m + 1) if sum(x >= m / (k * alpha) for x in e) >= k], default=0)
    return [bool(k and x >= m / (k * alpha)) for x in e]


ebhs = [dict(e=e, alpha=a, reject=ebh(e, a)) for e, a in
        [([100, 40, 21, 3], 0.05), ([81, 41, 20], 0.05), ([20], 0.05), ([19.99], 0.05), ([40, 40, 1], 0.05), ([30, 30, 1], 0.05), ([0, 0], 0.05), ([10, 300, 61, 150, 2, 1], 0.05)]
        + [(np.exp(rng.normal(2.5, 1.5, n)).round(3).tolist(), a) for n in (2, 3, 5, 8, 12, 12) for a in (0.05, 0.1, 0.2)]]

friedmans = []
for n, k, ties in ((6, 4, False), (10, 3, True), (5, 6, False), (3, 2, False)):
    scores = rng.normal(0.5, 0.1, (n, 1)) + rng.normal(0, 0.02, (n, k)) + np.linspace(0, 0.03, k)
    if ties:
        scores = scores.round(2)
    row = dict(scores=scores.tolist(), mean=(k + 1 - stats.rankdata(scores, axis=1)).mean(0).tolist(),
               pairwise=np.asarray(sp.posthoc_nemenyi_friedman(scores)).tolist(),
               critical=stats.studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n)))
    if k > 2:
        chi, p = stats.friedmanchisquare(*scores.T)
        f = (n - 1) * chi / (n * (k - 1) - chi)
        row |= dict(chi_square=chi, p=p, f=f, p_f=stats.f.sf(f, k - 1, (k - 1) * (n - 1)))
    friedmans.append(row)

wilcoxons = []
for n in (3, 5, 8, 12, 20):
    x = rng.normal(0.5, 0.1, n)
    y = x + rng.normal(0.01, 0.02, n)
    wilcoxons.append(dict(x=x.tolist(), y=y.tolist(), p=stats.wilcoxon(y, x, method="exact").pvalue))
tied = np.array([0.01, 0.01, 0.02, -0.01, 0.03, 0.0, 0.02])
# all 2^n sign patterns: SciPy's permutation test of the signed-rank statistic, zeros left out
wilcoxons.append(dict(x=[0.5] * 7, y=[round(0.5 + d, 2) for d in tied], p=stats.wilcoxon(np.round(tied * 100), method=stats.PermutationMethod(n_resamples=np.inf)).pvalue))

conjunctions = []
for p in ([0.001, 0.2, 0.03, 0.004], [0.01, 0.01, 0.01], [0.9, 0.8], [0.04], [0.02, 0.03, 0.0001, 0.6, 0.011], rng.uniform(0, 0.1, 8).tolist()):
    s, n = np.sort(p), len(p)
    bonferroni = np.maximum.accumulate([min(1, (n - u + 1) * s[u - 1]) for u in range(1, n + 1)])
    fisher = np.maximum.accumulate([stats.combine_pvalues(s[u - 1:], method="fisher").pvalue for u in range(1, n + 1)])
    holds = lambda q: int(max([u + 1 for u in range(n) if q[u] <= 0.05], default=0))
    conjunctions.append(dict(p=p, bonferroni=bonferroni.tolist(), fisher=fisher.tolist(), bonferroni_holds=holds(bonferroni), fisher_holds=holds(fisher)))

iqms = [dict(values=v, iqm=float(stats.trim_mean(v, 0.25))) for v in ([3.0], [1, 5], [1, 2, 9], [4, 1, 3, 2], [1, 2, 3, 4, 50], rng.normal(0, 1, 23).tolist())]
a, b = rng.normal(0.6, 0.03, (8, 3)) + [0, 0.1, -0.2], rng.normal(0.61, 0.03, (8, 3)) + [0, 0.1, -0.2]  # runs x data sets
aggregate = lambda s: np.array([metrics.aggregate_iqm(s)])
improve = lambda x, y: np.array([metrics.probability_of_improvement(x, y)])
np.random.seed(1)
_, iqm_ci = library.get_interval_estimates({"b": b}, aggregate, reps=20000, random_state=np.random.RandomState(1))
_, imp_ci = library.get_interval_estimates({"b,a": (b, a)}, improve, reps=5000, random_state=np.random.RandomState(1))
across = dict(reference=a.T.tolist(), variant=b.T.tolist(), reference_iqm=metrics.aggregate_iqm(a), variant_iqm=metrics.aggregate_iqm(b), improvement=metrics.probability_of_improvement(b, a),
              variant_low=iqm_ci["b"][0][0], variant_high=iqm_ci["b"][1][0], improvement_low=imp_ci["b,a"][0][0], improvement_high=imp_ci["b,a"][1][0])

json.dump(dict(
    tool=", ".join(f"{m} {version(m)}" for m in ("scipy", "scikit-posthocs", "rliable", "numpy")),
    dunnett=dunnetts, ebh=ebhs, friedman=friedmans, wilcoxon=wilcoxons, conjunction=conjunctions, iqm=iqms, across=across,
), sys.stdout, indent=1, default=float)
print()
