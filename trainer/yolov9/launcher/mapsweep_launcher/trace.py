"""Mode trace: the first steps of several configurations, and what each step did.

Each configuration runs in a child process, so that importing torch is paid for once. plan['runs'] is a list
of plans; the answers go to plan['out'], one JSON object a run, in order.
"""
import hashlib
import importlib
import os
import sys
import tempfile
import traceback
import types

from . import compat, files, levers, run


class Enough(SystemExit):
    """The steps that were asked for are done."""


def main(plan):
    run.start({**plan, 'script': plan['runs'][0]['script'], 'argv': []})
    for name in ('numpy', 'torch', 'torchvision', 'cv2', 'matplotlib', 'pandas', 'seaborn', 'scipy', 'torch.utils.tensorboard'):
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # the script says what it lacks
    answers = [child(plan, r) for r in plan['runs']]
    files.write_json(plan['out'], answers)


def child(plan, one):
    """Runs one configuration in a forked process."""
    fd, path = tempfile.mkstemp(dir=os.path.dirname(plan['out']), suffix='.trace')
    os.close(fd)
    log = one['log']
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            out = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o666)
            os.dup2(out, 1)
            os.dup2(out, 2)
            merged = {**{k: plan[k] for k in ('checkout', 'config_dir')}, **one}
            sys.argv = [os.path.join(plan['checkout'], one['script']), *one['argv']]
            os.environ.update(one.get('env') or {})
            recorder = Recorder(int(plan['steps']))
            failed = ''
            try:
                run.execute(merged, recorder.hook)
            except Enough:
                pass
            except SystemExit as e:
                failed = '' if e.code in (None, 0) else f'exit status {e.code}'
            except BaseException as e:  # noqa: BLE001: whatever it is, the parent wants to know
                traceback.print_exc()
                failed = f'{type(e).__name__}: {e}'
            files.write_json(path, {'steps': recorder.steps, 'options': recorder.options, 'levers': levers.pulled, 'env': one.get('env') or {}, 'failed': failed})
            code = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    import json
    try:
        with open(path, encoding='utf-8') as f:
            answer = json.load(f)
    except ValueError:
        answer = {'steps': [], 'options': {}, 'levers': {}, 'failed': f'process ended with status {status}'}
    os.remove(path)
    return answer


def digest(tensors):
    h = hashlib.sha256()
    for t in tensors:
        h.update(t.detach().cpu().contiguous().numpy().tobytes())
    return h.hexdigest()[:32]


def total(tensors):
    return finite(float(sum(t.detach().double().abs().sum() for t in tensors)))


def finite(x):
    """JSON has no nan; a number that no training gives stands for it."""
    return x if x - x == 0 else 1e308


class Recorder:
    """Hooks that note what each batch did, and end the run after enough of them."""

    def __init__(self, steps):
        self.want, self.steps, self.options, self.images, self.model, self.optimizer = steps, [], {}, None, None, None

    def hook(self, plan):
        import torch
        import utils.torch_utils as tu
        from models.yolo import DetectionModel
        from utils.loggers import Loggers
        torch.save = lambda *args, **kwargs: None
        # the loss as levers left it: the class is found where the script imports it from
        loss = importlib.import_module(levers.LOSSES[plan['script']]).ComputeLoss
        init, call, forward, optimizer, update = loss.__init__, loss.__call__, DetectionModel.forward, tu.smart_optimizer, tu.ModelEMA.update
        log = Loggers.__init__
        rec = self

        def read_back(self, save_dir=None, weights=None, opt=None, hyp=None, *args, **kwargs):
            log(self, save_dir, weights, opt, hyp, *args, **kwargs)
            rec.options = {**{k: v for k, v in vars(opt).items() if k != 'hyp'}, **hyp}

        def begun(self, model, *args, **kwargs):
            init(self, model, *args, **kwargs)
            rec.model = tu.de_parallel(model)

        def passed(self, x, *args, **kwargs):
            if self.training and rec.model is not None:
                if len(rec.steps) >= rec.want:
                    raise Enough(0)
                rec.images = x
            return forward(self, x, *args, **kwargs)

        def computed(self, p, targets, *args, **kwargs):
            out = call(self, p, targets, *args, **kwargs)
            if rec.images is not None:
                rec.steps.append({'hashes': {'input': digest([rec.images, targets]), 'loss': digest([out[1]])},
                                  'values': {'input': [total([rec.images]), total([targets])], 'loss': [finite(float(v)) for v in out[1]]}})
                rec.images = None
                rates = [float(g[k]) for g in rec.optimizer.param_groups for k in ('lr', 'momentum', 'weight_decay') if k in g]
                rec.note('lr', repr(rates), rates)
            return out

        def made(model, *args, **kwargs):
            rec.optimizer = opt = optimizer(model, *args, **kwargs)
            step = opt.step

            def stepped(self, *a, **k):
                grads = [q.grad for q in model.parameters() if q.grad is not None]
                norm = float(torch.stack([g.detach().double().norm() for g in grads]).norm()) if grads else 0.0
                result = step(*a, **k)
                weights = list(model.state_dict().values())
                rec.note('gradient', digest(grads), [finite(norm)])
                rec.note('weights', digest(weights), [total(weights)])
                return result

            opt.step = types.MethodType(stepped, opt)  # schedulers want a bound method
            return opt

        def averaged(self, model):
            update(self, model)
            tensors = list(self.ema.state_dict().values())
            rec.note('average', digest(tensors), [total(tensors)])

        Loggers.__init__, loss.__init__, loss.__call__, DetectionModel.forward = read_back, begun, computed, passed
        tu.smart_optimizer, tu.ModelEMA.update = made, averaged

    def note(self, channel, hashed, values):
        if self.steps:
            self.steps[-1]['hashes'][channel] = hashed
            self.steps[-1]['values'][channel] = values
