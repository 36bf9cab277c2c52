"""Lets the official code of 2024 run with current packages. Each part acts only where it is needed.

pkg_resources   gone with setuptools 82: a stand-in with the few names that are used
numpy.trapz     renamed trapezoid, gone with numpy 2.4
torch.load      loads tensors only by default since torch 2.6; checkpoints here hold whole models
FreeTypeFont.getsize   gone with Pillow 10
random.randrange       refuses whole floats since Python 3.12 (--multi-scale)
fork            no longer the start method of Python 3.14; data loader workers must inherit our edits

Loggers that phone home (wandb, comet_ml, clearml) are made to look as if they were not installed.
"""
import importlib.abc
import importlib.util
import os
import random
import shutil
import sys
import types

applied = []  # names of the parts that were needed, for the effective configuration


def install(config_dir):
    """Call before anything of the checkout is imported."""
    for name in ('wandb', 'comet_ml', 'clearml'):
        sys.modules[name] = None  # import raises ImportError
    if 'pkg_resources' not in sys.modules and importlib.util.find_spec('pkg_resources') is None:
        sys.modules['pkg_resources'] = _pkg_resources()
        applied.append('pkg_resources')
    if sys.version_info >= (3, 12):
        _whole_floats()
    if sys.version_info >= (3, 14):
        import multiprocessing
        multiprocessing.set_start_method('fork', force=True)
        applied.append('fork')
    hooks = {'numpy': _numpy, 'torch': _torch, 'PIL.ImageFont': _pillow}
    for name in [n for n in hooks if n in sys.modules]:  # parts of the launcher need numpy
        hooks.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, _After(hooks))
    _font(config_dir)


class _After(importlib.abc.MetaPathFinder):
    """Calls a function with a module right after it was imported."""

    def __init__(self, hooks):
        self.hooks, self.looking = hooks, set()

    def find_spec(self, name, path, target=None):
        hook = self.hooks.get(name)
        if hook is None or name in self.looking:
            return None
        self.looking.add(name)  # somebody may only ask whether the module is there: the hook stays
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.looking.discard(name)
        if spec is None or spec.loader is None:
            return spec
        original = spec.loader.exec_module

        def exec_module(module):
            original(module)
            hook(module)

        spec.loader.exec_module = exec_module
        return spec


def _numpy(np):
    if not hasattr(np, 'trapz'):
        np.trapz = np.trapezoid
        applied.append('numpy.trapz')


def _torch(torch):
    major, minor = (int(x) for x in torch.__version__.split('.')[:2])
    if (major, minor) < (2, 6):
        return
    load = torch.load

    def whole(*args, **kwargs):
        kwargs.setdefault('weights_only', False)
        return load(*args, **kwargs)

    torch.load = whole
    applied.append('torch.load')


def _pillow(font):
    if hasattr(font.FreeTypeFont, 'getsize'):
        return

    def getsize(self, text, *args, **kwargs):
        box = self.getbbox(text, *args, **kwargs)
        return box[2], box[3]

    font.FreeTypeFont.getsize = getsize
    applied.append('FreeTypeFont.getsize')


def _whole_floats():
    original = random.randrange

    def randrange(start, stop=None, *args):
        whole = [int(x) if isinstance(x, float) and x.is_integer() else x for x in (start, stop, *args)]
        return original(whole[0]) if stop is None else original(*whole)

    random.randrange = randrange
    applied.append('random.randrange')


def _pkg_resources():
    m = types.ModuleType('pkg_resources')

    def parse_version(text):
        from packaging.version import parse
        return parse(text)

    class VersionConflict(Exception):
        pass

    class DistributionNotFound(Exception):
        pass

    m.parse_version = parse_version
    m.VersionConflict, m.DistributionNotFound = VersionConflict, DistributionNotFound
    m.require = lambda *args, **kwargs: []
    m.parse_requirements = lambda *args, **kwargs: []
    return m


def _font(config_dir):
    """Puts a font where the official code looks for one, which otherwise downloads it and dies offline."""
    os.makedirs(config_dir, exist_ok=True)
    os.environ['YOLOV5_CONFIG_DIR'] = config_dir
    missing = [p for p in (os.path.join(config_dir, n) for n in ('Arial.ttf', 'Arial.Unicode.ttf')) if not os.path.exists(p)]
    if not missing:
        return
    spec = importlib.util.find_spec('matplotlib')
    if spec is None or not spec.submodule_search_locations:
        return  # the import of the checkout fails soon, and says why
    source = os.path.join(list(spec.submodule_search_locations)[0], 'mpl-data', 'fonts', 'ttf', 'DejaVuSans.ttf')
    for path in missing:
        if os.path.exists(source):
            tmp = f'{path}.tmp{os.getpid()}'
            try:
                os.symlink(source, tmp)  # a study has many of these folders
            except OSError:
                shutil.copyfile(source, tmp)
            os.replace(tmp, path)
