"""Mode train: one training.

Files that the parent reads, in the folder of the attempt:
effective.json    the configuration as the script understood it, before the first step
progress.json     the step, a few times a second
times.json        seconds of each epoch (from 0), training and validation, before its row is written
weights/last.json the epoch (from 0) of weights/last.pt, its size, and whether training has ended

Checkpoints are written beside their place, synced and renamed, so that a kill never leaves half a file.
"""
import os
import shutil
import sys
import time

from . import compat, edit, files, levers


def main(plan):
    start(plan)
    resume(plan)
    execute(plan, train_hooks)


def start(plan):
    """The process as the official script expects it: working directory, path, arguments, shims."""
    checkout = plan['checkout']
    os.chdir(checkout)
    sys.path.insert(0, checkout)
    sys.dont_write_bytecode = True  # the checkout may be read-only, and belongs to the user
    compat.install(plan['config_dir'])
    sys.argv = [os.path.join(checkout, plan['script']), *plan['argv']]
    for k, v in (plan.get('env') or {}).items():
        os.environ[k] = v


def execute(plan, hook):
    """Runs the script as __main__, with levers and hooks."""
    edits, names = levers.prepare(plan)
    # augmentations and losses are patched before the data loader and the script copy their names
    levers.attach(plan, names)
    hook(plan)
    path = os.path.join(plan['checkout'], plan['script'])
    scope = {'__name__': '__main__', '__file__': path, '__builtins__': __builtins__, **names}
    main_module = sys.modules['__main__']
    main_module.__dict__.update(scope)  # classes that checkpoints pickle are looked up in __main__
    exec(edit.compile_edited(path, edits), main_module.__dict__)


def train_hooks(plan):
    """Hooks of a training: what is read back, progress, and checkpoints that are whole."""
    import torch
    torch.save = _whole(torch.save)
    if int(os.environ.get('RANK', -1)) > 0:
        return
    from utils.loggers import Loggers
    init, batch, started, fitted, finished = (getattr(Loggers, n) for n in (
        '__init__', 'on_train_batch_end', 'on_train_start', 'on_fit_epoch_end', 'on_train_end'))
    shown, begun, times, steps = [0.0], [0.0], {}, [0]
    import utils.dataloaders as loaders
    create = loaders.create_dataloader

    def counted(*args, **kwargs):
        made = create(*args, **kwargs)
        steps[0] = steps[0] or len(made[0])  # the first is that of training
        return made

    loaders.create_dataloader = counted

    def read_back(self, save_dir=None, weights=None, opt=None, hyp=None, *args, **kwargs):
        init(self, save_dir, weights, opt, hyp, *args, **kwargs)
        effective(plan, save_dir, opt, hyp)

    def progress(self, model, ni, *args, **kwargs):
        batch(self, model, ni, *args, **kwargs)
        now = time.monotonic()
        if now - shown[0] >= 0.3:
            shown[0] = now
            try:
                files.write_json(os.path.join(str(self.save_dir), 'progress.json'), {'step': int(ni) + 1, 'steps': steps[0]})
            except OSError:
                pass  # a full disk ends the run elsewhere, where it matters

    def start_clock(self, *args, **kwargs):
        started(self, *args, **kwargs)
        begun[0] = time.monotonic()

    def row(self, vals, epoch, *args, **kwargs):
        now = time.monotonic()
        if epoch not in times:
            times[epoch] = round(now - begun[0], 6)
            begun[0] = now
            files.write_json(os.path.join(str(self.save_dir), 'times.json'), times)
        fitted(self, vals, epoch, *args, **kwargs)

    def ended(self, last, best, epoch, *args, **kwargs):
        finished(self, last, best, epoch, *args, **kwargs)
        note = os.path.join(os.path.dirname(str(last)), 'last.json')
        if os.path.exists(str(last)):
            files.write_json(note, {'epoch': int(epoch), 'bytes': os.path.getsize(str(last)), 'ended': True})

    Loggers.__init__, Loggers.on_train_batch_end, Loggers.on_train_start = read_back, progress, start_clock
    Loggers.on_fit_epoch_end, Loggers.on_train_end = row, ended


def effective(plan, save_dir, opt, hyp):
    """Writes what the script really uses, and ends the run if that is not what was asked for."""
    have = {k: v for k, v in vars(opt).items() if k != 'hyp'}
    have.update(hyp)
    wrong = {}
    for k, want in (plan.get('requested') or {}).items():
        if k in have and not same(have[k], want):
            wrong[k] = {'requested': want, 'effective': have[k]}
    files.write_json(os.path.join(str(save_dir), 'effective.json'),
                     {'options': have, 'levers': levers.pulled, 'env': plan.get('env') or {}, 'shims': compat.applied, 'wrong': wrong, 'python': sys.version.split()[0],
                      'torch': sys.modules['torch'].__version__, 'numpy': sys.modules['numpy'].__version__})
    fatal = {k: v for k, v in wrong.items() if k not in (plan.get('overwritten') or [])}
    if fatal:
        first = sorted(fatal)[0]
        sys.exit(f"launcher: configuration differs: {first} was requested as {fatal[first]['requested']!r}, the script uses {fatal[first]['effective']!r}")


def same(a, b):
    """Equal values; numbers by value, lists by their elements, everything else by text."""
    try:
        if not isinstance(a, (bool, str)) and not isinstance(b, (bool, str)):
            if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
                return list(a) == list(b)
            return float(a) == float(b)
    except (TypeError, ValueError):
        pass
    return a == b or str(a) == str(b)


def _whole(save):
    """torch.save that writes beside the place, syncs and renames; notes the epoch of last.pt."""
    def wrapped(obj, f, *args, **kwargs):
        path = os.fspath(f) if isinstance(f, (str, os.PathLike)) else None
        if path is None or not path.endswith('.pt'):
            return save(obj, f, *args, **kwargs)
        tmp = f'{path}.tmp{os.getpid()}'
        try:
            with open(tmp, 'wb') as out:
                save(obj, out, *args, **kwargs)
                out.flush()
                os.fsync(out.fileno())
            os.replace(tmp, path)
        finally:
            if os.path.exists(tmp):
                os.remove(tmp)
        if os.path.basename(path) == 'last.pt' and isinstance(obj, dict) and 'epoch' in obj:
            note = os.path.join(os.path.dirname(path), 'last.json')
            epoch, ended = int(obj['epoch']), obj.get('optimizer') is None
            if ended:  # stripped after training, its epoch is gone
                epoch = previous(note)
            files.write_json(note, {'epoch': epoch, 'bytes': os.path.getsize(path), 'ended': ended})

    return wrapped


def previous(note):
    import json
    try:
        with open(note, encoding='utf-8') as f:
            return int(json.load(f)['epoch'])
    except (OSError, ValueError, KeyError):
        return -1


def resume(plan):
    """Makes a new folder for an attempt that goes on from an earlier attempt's checkpoint.

    The official --resume takes all flags from opt.yaml beside the checkpoint's folder and goes on writing
    there. So the new folder gets a copy with its own place in it, the checkpoint, and the rows up to it.
    """
    spec = plan.get('resume')
    if not spec:
        return
    import yaml
    old, new = spec['from'], spec['to']
    os.makedirs(os.path.join(new, 'weights'), exist_ok=True)
    with open(os.path.join(old, 'opt.yaml'), errors='ignore') as f:
        opt = yaml.safe_load(f)
    opt.update(save_dir=new, project=os.path.dirname(new), name=os.path.basename(new), **(spec.get('changed') or {}))
    with open(os.path.join(new, 'opt.yaml'), 'w') as f:
        yaml.safe_dump(opt, f, sort_keys=False)
    for name in ('last.pt', 'best.pt', 'last.json'):
        copy(os.path.join(old, 'weights', name), os.path.join(new, 'weights', name))
    rows(os.path.join(old, 'results.csv'), os.path.join(new, 'results.csv'), int(spec['epochs']))
    sys.argv[1:] = ['--resume', os.path.join(new, 'weights', 'last.pt')]


def copy(old, new):
    if not os.path.exists(old) or os.path.exists(new):
        return
    try:
        os.link(old, new)  # checkpoints are replaced by renaming, never written in place
    except OSError:
        tmp = f'{new}.tmp{os.getpid()}'
        shutil.copyfile(old, tmp)
        os.replace(tmp, new)


def rows(old, new, epochs):
    """Copies the header and the rows of the first epochs, the last row of each."""
    if not os.path.exists(old):
        return
    with open(old) as f:
        lines = [line for line in f.read().splitlines(True) if line.endswith('\n')]
    kept = {}
    for line in lines[1:]:
        try:
            e = int(float(line.split(',')[0]))
        except ValueError:
            continue
        if e < epochs:
            kept[e] = line
    tmp = f'{new}.tmp{os.getpid()}'
    with open(tmp, 'w') as f:
        f.writelines(lines[:1] + [kept[e] for e in sorted(kept)])
    os.replace(tmp, new)
