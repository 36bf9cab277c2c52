"""Reference values of a Gaussian process and of expected improvement.

    pip install numpy scikit-learn mpmath
    python gen.py > reference.json
"""
import json
import mpmath
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

rng = np.random.default_rng(3)
rows = rng.random((12, 3)).round(4)
values = (np.sin(5 * rows[:, 0]) + rows[:, 1] ** 2 - rows[:, 2]).round(4)
at = rng.random((5, 3)).round(4)
lengths, scale, noise = [0.4, 0.9, 2.5], 1.7, 0.01
kernel = ConstantKernel(scale) * Matern(length_scale=lengths, nu=2.5)
gp = GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(rows, values)
mean, std = gp.predict(at, return_std=True)

mpmath.mp.dps = 60
zs = [5, 1, 0, -1, -5, -20, -24.9, -25.1, -40, -1000]
log_h = [float(mpmath.log(mpmath.npdf(z) + mpmath.mpf(z) * mpmath.ncdf(z))) for z in zs]

print(json.dumps({
    "rows": rows.tolist(), "values": values.tolist(), "at": at.tolist(), "lengths": lengths, "scale": scale, "noise": noise,
    "mean": mean.tolist(), "deviation": std.tolist(), "log_likelihood": gp.log_marginal_likelihood(gp.kernel_.theta),
    "z": zs, "log_h": log_h,
}, indent=1))
