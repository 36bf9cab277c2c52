"""Mode train: one training.

Files that the parent reads, in the folder of the attempt:
effective.json    the configuration as the script understood it, with what was pulled, before the first step
progress.json     the step, a few times a second
times.json        seconds of each epoch (from 0), training and validation, before its row is written
weights/last.json the epoch (from 0) of weights/last.pt, its size, whether it is the best so far and which epoch
                  that is, and whether training has ended

Checkpoints are written beside their place, synced and renamed, so that a kill never leaves half a file. The note
is there before the checkpoint and holds the earlier one, until the checkpoint is in its place: see noted.
"""
import os
import shutil
import sys
import time

from . import compat, edit, files, levers

standing = {'best': False, 'best_epoch': -1}  # is the last epoch the best so far; which epoch is


def main(plan):
    start(plan)
    resume(plan)
    execute(plan, train_hooks)  # with what --resume forgets: see levers.prepare and patience


def start(plan):
    """The process as the official script expects it: working directory, path, arguments, shims."""
    if 'LOCAL_RANK' in os.environ:
        die_with_parent()
    if sys.platform.startswith('linux'):
        # data loader workers: without it they look for their parent every 5 seconds only
        os.register_at_fork(after_in_child=die_with_parent)
    checkout = plan['checkout']
    os.chdir(checkout)
    sys.path.insert(0, checkout)
    sys.dont_write_bytecode = True  # the checkout may be read-only, and belongs to the user
    compat.install(plan['config_dir'])
    sys.argv = [os.path.join(checkout, plan['script']), *plan['argv']]
    for k, v in (plan.get('env') or {}).items():
        os.environ[k] = v


def die_with_parent():
    """Has the kernel kill this process when its parent dies (Linux): a rank of torchrun, a child that was forked.

    The first process of a trial is killed with mapsweep by the same means; this hands it on.
    """
    if _prctl is None:
        return
    _prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    if os.getppid() == 1:  # too late
        os._exit(1)


def _find_prctl():
    if not sys.platform.startswith('linux'):
        return None
    try:
        import ctypes
        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None


_prctl = _find_prctl()


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
    if plan.get('resume'):
        patience(os.path.join(plan['resume']['to'], 'results.csv'))
    torch.save = _whole(torch.save)
    if int(os.environ.get('RANK', -1)) > 0:
        return
    from utils.loggers import Loggers
    init, batch, started, fitted, finished = (getattr(Loggers, n) for n in (
        '__init__', 'on_train_batch_end', 'on_train_start', 'on_fit_epoch_end', 'on_train_end'))
    shown, begun, times, steps, have, actual = [0.0], [0.0], {}, [0], {}, {}
    import utils.dataloaders as loaders
    create = loaders.create_dataloader

    def counted(*args, **kwargs):
        made = create(*args, **kwargs)
        if not steps[0]:  # the first is that of training
            steps[0] = len(made[0])
            actual.update(really(*made))
        return made

    loaders.create_dataloader = counted

    def read_back(self, save_dir=None, weights=None, opt=None, hyp=None, *args, **kwargs):
        init(self, save_dir, weights, opt, hyp, *args, **kwargs)
        have.update({k: v for k, v in vars(opt).items() if k != 'hyp'}, **hyp)
        effective(plan, save_dir, have)

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
        missing = levers.missing(plan)
        if missing:
            sys.exit(f"launcher: lever {missing[0]} found nothing to act on: this checkout differs from the code that it was written for")
        effective(plan, self.save_dir, {**have, **actual}, False)
        begun[0] = time.monotonic()

    def row(self, vals, epoch, *args, **kwargs):
        now = time.monotonic()
        if epoch in times:
            return  # for data named val2017.txt, the scores of best.pt come after training as another row of the last epoch
        times[epoch] = round(now - begun[0], 6)
        begun[0] = now
        files.write_json(os.path.join(str(self.save_dir), 'times.json'), times)
        best_fitness, fi = args[0], args[1]
        standing['best'] = bool(best_fitness == fi)
        if standing['best']:
            standing['best_epoch'] = int(epoch)
        fitted(self, vals, epoch, *args, **kwargs)

    def ended(self, last, best, epoch, *args, **kwargs):
        finished(self, last, best, epoch, *args, **kwargs)
        if os.path.exists(str(last)):
            note(str(last), int(epoch), os.stat(str(last)), True)

    Loggers.__init__, Loggers.on_train_batch_end, Loggers.on_train_start = read_back, progress, start_clock
    Loggers.on_fit_epoch_end, Loggers.on_train_end = row, ended


def really(loader, dataset):
    """What the loader made of options that it bends: workers are capped, a cache that memory has no room for is none,
    sizes are rounded up."""
    made = {'workers': loader.num_workers, 'imgsz': dataset.img_size}
    if all(im is None for im in dataset.ims):
        made['cache'] = 'disk' if hasattr(dataset, 'im_hw0') else None
    return made


def effective(plan, save_dir, have, strict=True):
    """Writes what the script really uses; with strict, ends the run if that is something else than was asked for."""
    wrong = {}
    for k, want in (plan.get('requested') or {}).items():
        if k in have and not same(have[k], want):
            wrong[k] = {'requested': want, 'effective': have[k]}
    files.write_json(os.path.join(str(save_dir), 'effective.json'),
                     {'options': have, 'levers': levers.pulled, 'env': plan.get('env') or {}, 'shims': compat.applied, 'wrong': wrong, 'python': sys.version.split()[0],
                      'torch': sys.modules['torch'].__version__, 'numpy': sys.modules['numpy'].__version__})
    fatal = {k: v for k, v in wrong.items() if k not in (plan.get('overwritten') or [])}
    if fatal and strict:
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
            if os.path.basename(path) == 'last.pt' and isinstance(obj, dict) and 'epoch' in obj:
                before = noted(path)
                epoch, ended = int(obj['epoch']), obj.get('optimizer') is None
                if ended:  # stripped after training, its epoch is gone
                    epoch = before.get('epoch', -1)
                note(path, epoch, os.stat(tmp), ended, before)
                os.replace(tmp, path)
                note(path, epoch, os.stat(path), ended)
            else:
                os.replace(tmp, path)
        finally:
            if os.path.exists(tmp):
                os.remove(tmp)

    return wrapped


def note(path, epoch, st, ended, before=None):
    """Notes what a checkpoint is. With before, it is not in its place yet."""
    what = {'epoch': epoch, 'bytes': st.st_size, 'ended': ended, 'inode': st.st_ino, **standing}
    if before is not None:
        what['before'] = before
    files.write_json(os.path.join(os.path.dirname(path), 'last.json'), what)


def noted(path):
    """The note that is true of a checkpoint: while one is put into its place, the file itself says which. {} if there is none."""
    import json
    try:
        with open(os.path.join(os.path.dirname(path), 'last.json'), encoding='utf-8') as f:
            what = json.load(f)
        before = what.pop('before', None)
        if before is None or what['inode'] == os.stat(path).st_ino:
            return what
        return before
    except (OSError, ValueError, KeyError):
        return {}


def resume(plan):
    """Makes a new folder for an attempt that goes on from an earlier attempt's checkpoint.

    The official --resume takes all flags from opt.yaml beside the checkpoint's folder and goes on writing
    there. So the new folder gets a copy with its own place in it, the checkpoint, and the rows up to it. Every rank
    does this by itself, at the same time: whatever is written is whole and the same.
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
    tmp = os.path.join(new, f'opt.yaml.tmp{os.getpid()}')
    with open(tmp, 'w') as f:
        yaml.safe_dump(opt, f, sort_keys=False)
    os.replace(tmp, os.path.join(new, 'opt.yaml'))
    last = os.path.join(old, 'weights', 'last.pt')
    what = noted(last)
    standing.update({k: what[k] for k in standing if k in what})
    rows(os.path.join(old, 'results.csv'), os.path.join(new, 'results.csv'), int(spec['epochs']))
    # the script may have died between last.pt and best.pt, which are the same in the best epoch
    copy(last if what.get('best') else os.path.join(old, 'weights', 'best.pt'), os.path.join(new, 'weights', 'best.pt'))
    kept, epoch = opt.get('save_period') or -1, what.get('epoch', -1)
    if kept > 0 and epoch >= 0 and epoch % kept == 0:  # or between last.pt and this one
        copy(last, os.path.join(new, 'weights', f'epoch{epoch}.pt'))
    copy(last, os.path.join(new, 'weights', 'last.pt'))
    files.write_json(os.path.join(new, 'weights', 'last.json'), what)
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


def patience(table):
    """Early stopping counts on from the rows of earlier attempts; the official --resume begins to count anew."""
    import utils.torch_utils as tu
    best, at, last = 0.0, 0, -1
    if not os.path.exists(table):
        return
    with open(table) as f:
        heads, *lines = [[c.strip() for c in line.split(',')] for line in f.read().splitlines()] or [[]]
    for cells in lines:
        one = dict(zip(heads, cells))
        last = int(float(one['epoch']))
        fitness = 0.1 * float(one['metrics/mAP_0.5']) + 0.9 * float(one['metrics/mAP_0.5:0.95'])
        if fitness >= best:
            best, at = fitness, last
    init = tu.EarlyStopping.__init__

    def wrapped(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.best_fitness, self.best_epoch = best, at
        self.possible_stop = last - at >= self.patience - 1

    if lines:
        tu.EarlyStopping.__init__ = wrapped
