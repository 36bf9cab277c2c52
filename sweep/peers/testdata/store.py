"""Runs a peer of the store benchmark: ask, suggest six parameters, one intermediate value, tell; prints JSON.

    store.py optuna|rustuna default|wal-full|wal-normal PATH TRIALS SECONDS PREFILL

default: the peer as it comes (delete journal, synchronous=FULL). wal-full: the file is set to a write-ahead log
beforehand. wal-normal: each connection is also set to synchronous=NORMAL, which only Optuna lets its user do.
PREFILL finished trials are written by SQL into the study that the peer has made, so that all is as the peer wrote it.
It stops after TRIALS, or after SECONDS. One trial goes ahead of the clock: it reads what is there.
"""

import json
import random
import sqlite3
import sys
import time

NAMES = [f"x{i}" for i in range(6)]


def value(x):
    """Six-dimensional Rosenbrock valley on the unit cube, scaled to [-2, 2], as the Go side has it."""
    y = [4 * v - 2 for v in x]
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(y, y[1:]))


def prefill(path, n):
    """Writes n finished trials after the one that is there."""
    db = sqlite3.connect(path)
    text = db.execute("SELECT distribution_json FROM trial_params LIMIT 1").fetchone()[0]
    rng = random.Random(1)
    date = "2026-11-28 10:00:00.000000"
    for i in range(2, n + 2):
        x = [rng.random() for _ in NAMES]
        db.execute(
            "INSERT INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete) VALUES (?, ?, 1, 'COMPLETE', ?, ?)",
            (i, i - 1, date, date),
        )
        db.executemany(
            "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)",
            [(i, name, v, text) for name, v in zip(NAMES, x)],
        )
        db.execute("INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, 0, ?, 'FINITE')", (i, value(x)))
        db.execute(
            "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?, 1, ?, 'FINITE')",
            (i, value(x)),
        )
    db.commit()
    db.close()


def change_counter(path):
    """Transactions that changed the file, as its header counts them with a delete journal."""
    with open(path, "rb") as f:
        return int.from_bytes(f.read(28)[24:28], "big")


def optuna_study(path, setting, load):
    import optuna
    from sqlalchemy import event

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    if setting == "wal-normal":
        storage.engine.dispose()
        event.listen(storage.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=NORMAL"))
    sampler = optuna.samplers.TPESampler(seed=1)
    if load:
        return optuna.load_study(study_name="s", storage=storage, sampler=sampler)
    return optuna.create_study(study_name="s", storage=storage, direction="minimize", sampler=sampler)


def rustuna_study(path, load):
    import rustuna

    storage = rustuna.storages.SQLite3Storage(path)
    sampler = rustuna.samplers.TPESampler(seed=1)
    if load:
        return rustuna.load_study(study_name="s", storage=storage, sampler=sampler), storage
    return rustuna.create_study(study_name="s", storage=storage, direction="minimize", sampler=sampler), storage


def runner(peer, setting, path, load):
    """A function that runs one trial and says how long it took to ask and suggest."""
    if peer == "optuna":
        study, storage = optuna_study(path, setting, load), None
    else:
        study, storage = rustuna_study(path, load)

    def one():
        began = time.perf_counter()
        t = study.ask()
        x = [t.suggest_float(name, 0.0, 1.0) for name in NAMES]
        asked = time.perf_counter() - began
        v = value(x)
        if peer == "optuna":
            t.report(v, 1)
            study.tell(t, v)
        else:
            storage.set_trial_intermediate_value(t._trial_id, 1, v)
            study.tell(t.number, v)
        return asked

    return one


def main():
    peer, setting, path = sys.argv[1:4]
    trials, seconds, history = int(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6])
    first = runner(peer, setting, path, load=False)
    first()
    if history:
        prefill(path, history)
    if setting != "default":
        db = sqlite3.connect(path)
        if db.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
            raise SystemExit("no write-ahead log on this disk")
        db.close()
    one = runner(peer, setting, path, load=True)
    one()
    commits = change_counter(path)
    n, ask, began, processor = 0, 0.0, time.perf_counter(), time.process_time()
    while n < trials and time.perf_counter() - began < seconds:
        ask += one()
        n += 1
    took, processor = time.perf_counter() - began, time.process_time() - processor
    commits = (change_counter(path) - commits) / n if setting == "default" else 0
    print(json.dumps({"trials": n, "seconds": took, "asking": ask, "processor": processor, "commits": commits}))


main()
