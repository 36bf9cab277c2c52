# Says what a Python has for the official YOLOv9 code: one line, the mark and a JSON object. Started by preflight
# with the mark, whether to import ("import" or "look"), and the import names to look for. Runs on Python 3.6 and later.
import json
import sys

sys.path = [p for p in sys.path if p]  # not the working directory
mark, mode, names = sys.argv[1], sys.argv[2], sys.argv[3:]

import importlib
import importlib.util
import platform

out = {
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "platform": sys.platform,
    "machine": platform.machine(),
    "executable": sys.executable,
    "venv": sys.prefix != getattr(sys, "base_prefix", sys.prefix),
    "distributions": {},
    "modules": {},
    "broken": {},
    "start_method": "",
    "cuda": None,
}

try:
    from importlib import metadata
except ImportError:
    metadata = None
if metadata is not None:
    for d in metadata.distributions():
        try:
            name = d.metadata["Name"]
            if name:  # the first of several is the one that Python imports
                out["distributions"].setdefault(name.lower().replace("_", "-"), d.version)
        except Exception:
            pass

for name in names:
    try:
        out["modules"][name] = importlib.util.find_spec(name) is not None
    except Exception as e:
        out["modules"][name] = False
        out["broken"][name] = "%s: %s" % (type(e).__name__, e)

try:
    import multiprocessing

    out["start_method"] = multiprocessing.get_start_method()
except Exception:
    pass

if mode == "import":
    for name in names:
        if not out["modules"].get(name):
            continue
        if name in ("wandb", "comet_ml", "clearml"):
            continue  # these may go to the network
        try:
            m = importlib.import_module(name)
        except BaseException as e:
            out["broken"][name] = ("%s: %s" % (type(e).__name__, e)).strip()[:500]
            continue
        v = getattr(m, "__version__", None)
        if name == "torch":
            cuda = {"built": getattr(m.version, "cuda", None) or "", "available": False, "devices": []}
            try:
                cuda["available"] = bool(m.cuda.is_available())
                for i in range(m.cuda.device_count() if cuda["available"] else 0):
                    p = m.cuda.get_device_properties(i)
                    free = total = 0
                    try:
                        free, total = m.cuda.mem_get_info(i)
                    except Exception:
                        pass
                    cuda["devices"].append({
                        "name": p.name,
                        "memory": int(p.total_memory),
                        "free": int(free),
                        "capability": "%d.%d" % (p.major, p.minor),
                    })
            except Exception as e:
                cuda["error"] = ("%s: %s" % (type(e).__name__, e))[:500]
            out["cuda"] = cuda
        if v is not None and not isinstance(v, str):
            v = str(v)
        if v:
            out.setdefault("imported", {})[name] = v

sys.stdout.write("\n" + mark + json.dumps(out) + "\n")
sys.stdout.flush()
