"""Times Optuna's fANOVA evaluator on the points of a JSON file and prints the seconds.

Run by BenchmarkAnalysesPeer: python peer.py points.json   (needs optuna, scikit-learn)
"""
import json
import logging
import sys
import time
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

optuna.logging.set_verbosity(logging.ERROR)
warnings.simplefilter("ignore")
space = dict(lr0=FloatDistribution(0.001, 0.1, log=True), momentum=FloatDistribution(0, 1), mosaic=CategoricalDistribution([1.0, 0.0]),
             mixup=FloatDistribution(0, 0.5), copy_paste=FloatDistribution(0, 0.5), autoaugment=CategoricalDistribution(["none", "randaugment", "trivial"]),
             warmup_epochs=IntDistribution(0, 10), box=FloatDistribution(0, 1))
with open(sys.argv[1]) as f:
    points = json.load(f)
study = optuna.create_study(direction="maximize")
study.add_trials([optuna.trial.create_trial(params=p["params"], distributions=space, value=p["score"]) for p in points])
start = time.time()
optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0))
print(time.time() - start)
