"""Edits of the official code's syntax trees, in memory.

An Edit finds places by their shape and replaces them. It counts what it found: a checkout in which the
place is missing, or there more often than it should be, ends the run with a clear sentence instead of
training something else than was asked for.
"""
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import sys


class Mismatch(SystemExit):
    """The checkout is not the code that a lever was written for."""


class Edit(ast.NodeTransformer):
    """Base of edits. fewest and most bound the number of places."""
    name, fewest, most = '', 1, 1

    def __init__(self):
        self.found = 0

    def apply(self, tree, path):
        self.found = 0
        tree = self.visit(tree)
        if not self.fewest <= self.found <= self.most:
            raise Mismatch(f'launcher: lever {self.name} fits {self.found} places of {path}, expected {self.fewest} to {self.most}: '
                           'this checkout differs from the code that the lever was written for')
        return ast.fix_missing_locations(tree)


def is_code(node, source):
    """Whether a node is this expression, or this one statement. Python 3.8 cannot turn trees into text."""
    parsed = ast.parse(source).body[0]
    return ast.dump(node) == ast.dump(parsed.value if isinstance(parsed, ast.Expr) and not isinstance(node, ast.Expr) else parsed)


def index_of(subscript):
    """The constant in x[constant], or None. Python 3.8 wraps it."""
    inner = subscript.slice
    if type(inner).__name__ == 'Index':
        inner = inner.value
    return inner.value if isinstance(inner, ast.Constant) else None


def compile_edited(path, edits):
    """The code of a file with its edits."""
    with open(path, 'rb') as f:
        tree = ast.parse(f.read(), path)
    for e in edits:
        tree = e.apply(tree, path)
    return compile(tree, path, 'exec', dont_inherit=True)


class Importer(importlib.abc.MetaPathFinder):
    """Imports the named modules with edits. No byte code is kept, so that the checkout stays as it is."""

    def __init__(self, edits):
        self.edits = edits  # module name -> list of edits

    def find_spec(self, name, path, target=None):
        if not self.edits.get(name):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or not spec.origin:
            return spec
        spec.loader = _Loader(name, spec.origin, self.edits[name])
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, name, path, edits):
        self.name, self.path, self.edits = name, path, edits

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile_edited(self.path, self.edits), module.__dict__)


def install(edits):
    sys.meta_path.insert(0, Importer(edits))
