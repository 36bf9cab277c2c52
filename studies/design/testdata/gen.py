"""Writes reference.json: designs of pyDOE3, Sobol points of scipy, alias matrices of numpy.

    python gen.py > reference.json
"""
import itertools
import json
import platform
from importlib.metadata import version

import numpy as np
import pyDOE3
from scipy.stats import qmc


def rows(a):
    return [[int(v) for v in r] for r in a]


def alias_matrix(x):
    """Rows: main effects; columns: interactions of two, in lexical order. Least squares with a constant."""
    n, k = x.shape
    x1 = np.column_stack([np.ones(n), x])
    x2 = np.column_stack([x[:, i] * x[:, j] for i, j in itertools.combinations(range(k), 2)])
    return np.linalg.lstsq(x1, x2, rcond=None)[0][1:]


def dump(m):
    return [[round(float(v), 12) + 0.0 for v in r] for r in m]


out = {"tools": {p: version(p) for p in ("numpy", "scipy", "pyDOE3")}, "python": platform.python_version()}

out["fracfact"] = []
for gen in ("a b ab", "a b c abc", "a b ab ac c", "a b c d abcd", "a b c d abc bcd acd", "a b c d bcd acd abc abd", "a b c ab ac bc abc"):
    design = pyDOE3.fracfact(gen)
    alias_map, _ = pyDOE3.fracfact_aliasing(design)
    out["fracfact"].append({"generators": gen, "rows": rows(design), "folded": rows(pyDOE3.fold(design)), "aliases": list(alias_map)})

out["pbdesign"] = []
for k in (5, 7, 11, 15, 19, 23):
    design = np.array(pyDOE3.pbdesign(k), dtype=float)
    out["pbdesign"].append({"factors": k, "rows": rows(design), "aliases": dump(alias_matrix(design)) if k <= 11 else None})

# a nested factor: the third changes nothing where the first is -1
x = np.array(pyDOE3.pbdesign(11), dtype=float)[:, :6]
x[x[:, 0] < 0, 2] = 0
out["nested"] = {"rows": rows(x), "aliases": dump(alias_matrix(x))}

out["sobol"] = [[int(v) for v in np.round(r * 2**30)] for r in qmc.Sobol(21, scramble=False, bits=30).random(64)]
print(json.dumps(out, separators=(",", ":")))
