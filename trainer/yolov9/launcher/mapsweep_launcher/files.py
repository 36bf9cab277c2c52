"""Small files that the parent process reads while we run: written whole or not at all."""
import json
import math
import os


def write_json(path, value):
    """Writes JSON beside its place and renames it there."""
    tmp = f'{path}.tmp{os.getpid()}'
    with open(tmp, 'w', encoding='utf-8') as f:
        json.dump(plain(value), f, indent=1, sort_keys=True)
        f.write('\n')
    os.replace(tmp, path)


def plain(v):
    """A value that JSON can hold: paths as text, floats that are no numbers as text."""
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, bool) or v is None or isinstance(v, (int, str)):
        return v
    if hasattr(v, 'item') and getattr(v, 'size', 2) == 1:  # a scalar of numpy
        return plain(v.item())
    if isinstance(v, float):
        return v if math.isfinite(v) else str(v)
    return str(v)
