"""The levers: what the official code cannot do, each only when a plan asks for it.

prepare() runs before anything of the checkout is imported; it returns the edits of the training script.
attach() runs after the checkout's modules are imported and before the script starts.
"""
import ast

from . import augment, edit

LOSSES = {'train.py': 'utils.loss_tal', 'train_dual.py': 'utils.loss_tal_dual', 'train_triple.py': 'utils.loss_tal_triple'}
OFFICIAL_GAINS = {'box': 7.5, 'cls': 0.5, 'dfl': 1.5}
LOADER_SEED = 6148914691236517205  # of the official data loader

pulled = {}  # what was really changed, for the effective configuration


class Gains(edit.Edit):
    """loss[0] *= 7.5 and its two sisters get the gains of the plan."""
    name, fewest, most = 'box, cls, dfl', 3, 9

    def __init__(self, gains):
        super().__init__()
        self.by_place = {(i, OFFICIAL_GAINS[k]): (k, float(gains.get(k, OFFICIAL_GAINS[k]))) for i, k in enumerate(('box', 'cls', 'dfl'))}

    def visit_AugAssign(self, node):
        t = node.target
        if not (isinstance(node.op, ast.Mult) and isinstance(node.value, ast.Constant) and isinstance(t, ast.Subscript)
                and isinstance(t.value, ast.Name) and t.value.id == 'loss'):
            return node
        place = self.by_place.get((edit.index_of(t), node.value.value))
        if place is None:
            return node
        self.found += 1
        name, gain = place
        pulled[name] = gain
        node.value = ast.copy_location(ast.Constant(gain), node.value)
        return node


class LoaderSeed(edit.Edit):
    """The data loader's literal seed is moved by the seed of the trial."""
    name, most = 'seed_images', 2  # the detection loader and the classification loader

    def __init__(self, seed):
        super().__init__()
        self.seed = int(seed) % (1 << 31)

    def visit_Constant(self, node):
        if node.value != LOADER_SEED:
            return node
        self.found += 1
        pulled['seed_images'] = True
        return ast.copy_location(ast.Constant(LOADER_SEED + self.seed), node)


class OrderSeed(edit.Edit):
    """The order of pictures of several GPUs, which has a seed of its own, follows the seed of the trial."""
    name, most = 'seed_images', 2

    def __init__(self, seed):
        super().__init__()
        self.seed = int(seed) % (1 << 31)

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == 'DistributedSampler' and all(k.arg != 'seed' for k in node.keywords):
            self.found += 1
            node.keywords.append(ast.keyword('seed', ast.copy_location(ast.Constant(self.seed), node)))
        return node


class CloseMosaic(edit.Edit):
    """A run that goes on after the epoch in which mosaic ended begins without it; the official --resume has it again."""
    name = 'close_mosaic'

    def visit_If(self, node):
        self.generic_visit(node)
        if edit.is_code(node.test, 'epoch == (epochs - opt.close_mosaic)'):
            self.found += 1
            node.test = ast.parse('epoch == (max(start_epoch, epochs - opt.close_mosaic) if opt.close_mosaic <= epochs else -1)', mode='eval').body
        return node


class WarmupFloor(edit.Edit):
    """nw = max(round(warmup_epochs * nb), 100) gets another floor."""
    name = 'warmup_floor'

    def __init__(self, floor):
        super().__init__()
        self.floor = int(floor)

    def visit_Assign(self, node):
        if not (len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and node.targets[0].id == 'nw'
                and isinstance(node.value, ast.Call) and getattr(node.value.func, 'id', '') == 'max' and len(node.value.args) == 2
                and isinstance(node.value.args[1], ast.Constant) and node.value.args[1].value == 100):
            return node
        self.found += 1
        pulled['warmup_floor'] = self.floor
        # a warm-up of no steps works: np.interp(0, [0, 0], [a, b]) is b, the state after warm-up
        node.value.args[1] = ast.copy_location(ast.Constant(self.floor), node.value.args[1])
        return node


class Autocast(edit.Edit):
    """torch.cuda.amp.autocast(amp) around the forward pass becomes the plan's."""
    name = 'amp'

    def visit_With(self, node):
        self.generic_visit(node)
        if len(node.items) != 1:
            return node
        call = node.items[0].context_expr
        if edit.is_code(call, 'torch.cuda.amp.autocast(amp)'):
            self.found += 1
            node.items[0].context_expr = ast.copy_location(ast.parse('__mapsweep_autocast__(device)', mode='eval').body, call)
        return node


class Validate(edit.Edit):
    """Validation every k epochs; metrics of the epochs between are nan, not those of an earlier epoch."""
    name = 'val_interval'

    def __init__(self, every):
        super().__init__()
        self.every = int(every)

    def visit_If(self, node):
        self.generic_visit(node)
        if not edit.is_code(node.test, 'not noval or final_epoch') or node.orelse:
            return node
        self.found += 1
        pulled['val_interval'] = self.every
        node.test = ast.parse(f'(not noval and (epoch + 1) % {self.every} == 0) or final_epoch', mode='eval').body
        node.orelse = ast.parse("results = (0, 0, 0, 0, 0, 0, 0) if noval else (float('nan'),) * 7").body
        return node


def prepare(plan):
    """Installs import-time edits and returns (edits of the script, names for its globals)."""
    levers, script = plan.get('levers') or {}, plan['script']
    modules, edits, names = {}, [], {}
    if 'gains' in levers:
        modules.setdefault(LOSSES[script], []).append(Gains(levers['gains']))
    if 'seed_images' in levers:
        modules.setdefault('utils.dataloaders', []).extend([LoaderSeed(levers['seed_images']), OrderSeed(levers['seed_images'])])
    if 'warmup_floor' in levers:
        edits.append(WarmupFloor(levers['warmup_floor']))
    if 'val_interval' in levers:
        edits.append(Validate(levers['val_interval']))
    if levers.get('amp') in ('fp16', 'bf16'):
        edits.append(Autocast())
    if plan.get('resume'):
        edits.append(CloseMosaic())
    if plan.get('cpu_ranks'):
        from . import ranks
        edits += ranks.edits()
    if modules:
        edit.install(modules)
    return edits, names


def missing(plan):
    """The levers of a plan that were not pulled by the time the first step comes."""
    wanted = set(plan.get('levers') or {}) - {'nccl_timeout'}  # that one is for several ranks
    if 'gains' in wanted:
        wanted = wanted - {'gains'} | {'box', 'cls', 'dfl'}
    return sorted(wanted - set(pulled))


def attach(plan, names):
    """Patches objects of the imported checkout; adds to the names that the script finds as globals."""
    levers, script = plan.get('levers') or {}, plan['script']
    if 'label_smoothing' in levers:
        _smooth(LOSSES[script], float(levers['label_smoothing']))
    if 'ema' in levers:
        _average(levers['ema'])
    if 'amp' in levers:
        _precision(levers['amp'], names)
    if 'autoaugment' in levers or levers.get('copy_paste_boxes'):
        augment.attach(levers, pulled)
    if levers.get('nccl_timeout'):
        _timeout(float(levers['nccl_timeout']))
    if plan.get('cpu_ranks'):
        from . import ranks
        ranks.attach(names)


def _smooth(module, epsilon):
    """Class targets t become cn + (cp - cn) t with cp = 1 - epsilon/2 and cn = epsilon/2."""
    import importlib
    loss = importlib.import_module(module).ComputeLoss
    init = loss.__init__

    def wrapped(self, *args, **kwargs):
        init(self, *args, **kwargs)
        bce, low, high = self.BCEcls, 0.5 * epsilon, 1 - 0.5 * epsilon
        self.BCEcls = lambda pred, true: bce(pred, true * (high - low) + low)
        pulled['label_smoothing'] = epsilon

    loss.__init__ = wrapped


def _average(spec):
    """Another decay of the moving average, or none: then the average is the weights themselves."""
    from utils.torch_utils import ModelEMA, de_parallel
    init, on = ModelEMA.__init__, bool(spec.get('on', True))

    def wrapped(self, model, decay=0.9999, tau=2000, updates=0):
        decay, tau = float(spec.get('decay', decay)), float(spec.get('tau', tau))
        init(self, model, decay, tau, updates)
        pulled.update(ema=on, ema_decay=decay, ema_tau=tau)

    ModelEMA.__init__ = wrapped
    if on:
        return
    update_attr = ModelEMA.update_attr

    def copy(self, model):
        average = self.ema.state_dict()  # made anew at each call: not one for each tensor
        for k, v in de_parallel(model).state_dict().items():
            average[k].copy_(v.detach())

    def update(self, model):
        self.updates += 1
        copy(self, model)

    def at_end_of_epoch(self, model, *args, **kwargs):
        copy(self, model)  # batch statistics move at every batch, weights at optimiser steps only
        update_attr(self, model, *args, **kwargs)

    ModelEMA.update, ModelEMA.update_attr = update, at_end_of_epoch


def _precision(kind, names):
    import torch
    import utils.general
    pulled['amp'] = kind
    if kind == 'fp16':  # official on CUDA: keep the scaler, which needs check_amp to say yes
        names['__mapsweep_autocast__'] = lambda device: torch.autocast(device.type, dtype=torch.float16)
        return
    utils.general.check_amp = lambda model: False  # no scaler, validation in full precision
    if kind == 'bf16':
        names['__mapsweep_autocast__'] = lambda device: torch.autocast(device.type, dtype=torch.bfloat16)


def _timeout(seconds):
    from datetime import timedelta

    import torch.distributed as dist
    init = dist.init_process_group

    def wrapped(*args, **kwargs):
        kwargs.setdefault('timeout', timedelta(seconds=seconds))
        pulled['nccl_timeout'] = seconds
        return init(*args, **kwargs)

    dist.init_process_group = wrapped
