#!/usr/bin/env python3
"""Checkpoints in the format of the official trainer, made by instantiating the official model, and what it makes of files
of weights.

  checkpoint.py write CHECKOUT MODEL CLASSES FORM OUT.pt [--width 160] [--height 96]
  checkpoint.py load CHECKOUT MODEL CLASSES WEIGHTS.safetensors PICTURES.safetensors OUT.safetensors

write: FORM is "unfinished" (as training leaves it: half precision, an average apart from the weights, the optimiser's state),
"stripped" (as its end leaves it: the average alone, in half precision), "float" (the same in float32) or "converted" (of a yolov9
model: what is not auxiliary, stripped, in the layout of the gelan model of the same letter, as tools/reparameterization.ipynb
does). Beside OUT.pt, OUT.safetensors has what the official code reads from it: state/NAME, "images" N,H,W,3, and of the main head
"box" N,A,4R and "class" N,A,K (logits) and "decoded" N,A,4+K (centre, width, height in pixels; scores), computed in float32;
fused/... the same with batch normalisation folded and RepConv melted, as the official programs for validation and detection
have it; double/... in float64.

load: the official model takes the file, strictly, and its outputs on "images" of PICTURES are written to OUT."""
import argparse, copy, datetime, os

import numpy, torch
from safetensors.torch import load_file, save_file

import checkout, scene

ap = argparse.ArgumentParser()
ap.add_argument('what', choices=('write', 'load'))
for name in ('checkout', 'model'):
    ap.add_argument(name)
ap.add_argument('classes', type=int)
ap.add_argument('rest', nargs='+')
ap.add_argument('--width', type=int, default=160)
ap.add_argument('--height', type=int, default=96)


@torch.no_grad()
def settle(m, seed, x):
    """Weights that are not fresh, and statistics of the pictures x, layer after layer. With the statistics of a fresh network the signal
    is lost on the way, and outputs hardly depend on the input. With those of pictures a deep network of random weights is chaotic: it
    magnifies rounding a thousandfold, PyTorch's as well as ours. Shifts of 1.5, where SiLU is almost a line, and a part of the
    mean variance keep it calm, as training would."""
    def calibrate(norm, inputs):
        var, mean = torch.var_mean(inputs[0], (0, 2, 3))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(var + 0.2 * var.mean())

    scene.disturb(m, seed)
    hooks = []
    for norm in (x for x in m.modules() if isinstance(x, torch.nn.BatchNorm2d)):
        norm.bias.add_(1.5)
        hooks.append(norm.register_forward_pre_hook(calibrate))
    m.eval()(x)
    for h in hooks:
        h.remove()
    return m


def converted(name, m, nc):
    """The gelan model of the same letter with the weights of m's main branch."""
    small = checkout.model(name.replace('yolov9', 'gelan'), nc)
    last, there = len(small.model) - 1, len(m.model) - 1
    first = 1 if 'Silence' in str(type(m.model[0])) and 'Silence' not in str(type(small.model[0])) else 0
    renamed, state = dict(cv2='cv4', cv3='cv5', dfl='dfl2'), m.state_dict()
    picked = {}
    for key, v in small.state_dict().items():
        _, at, part, *rest = key.split('.')
        at = int(at)
        if at == last:
            at, part = there, renamed[part]
        elif name.endswith('-e') and at > 28:
            at += 7  # the auxiliary neck stands between
        else:
            at += first
        picked[key] = state['.'.join(['model', str(at), part, *rest])]
    small.load_state_dict(picked)
    return small.eval()


def checkpoint(name, nc, form, x):
    torch.manual_seed(5)
    m = settle(checkout.model(name, nc), 6, x)
    stripped = dict(epoch=-1, best_fitness=None, ema=None, updates=None, optimizer=None, opt=None, git=None, date=None)
    if form == 'converted':
        return stripped | dict(model=converted(name, m, nc).half())
    for p in m.parameters():
        p.requires_grad = form == 'unfinished'
    if form == 'float':
        return stripped | dict(model=m)
    if form == 'stripped':
        return stripped | dict(model=m.half())
    from utils.torch_utils import smart_optimizer
    ema = copy.deepcopy(m).half()
    scene.disturb(m, 7)
    opt = smart_optimizer(m, 'SGD', .01, .9, 1e-3)
    for p in m.parameters():
        p.grad = torch.randn_like(p)
    opt.step()
    return dict(epoch=3, best_fitness=numpy.array([0.25]), model=copy.deepcopy(m).half(), ema=ema, updates=7, optimizer=opt.state_dict(),
                opt=dict(epochs=9, imgsz=640, hyp=dict(lr0=.01), freeze=[0], cos_lr=False, save_dir='runs/train/exp'), git=None,
                date=datetime.datetime.now().isoformat())


@torch.no_grad()
def outputs(m, x):
    """Logits and decoded boxes and scores of the main head."""
    y, raw = m.eval()(x)
    if isinstance(raw[0], list):  # auxiliary head, main head
        y, raw = y[-1], raw[-1]
    flat = torch.cat([r.flatten(2) for r in raw], 2).transpose(1, 2)
    bins = 4 * m.model[-1].reg_max
    return dict(box=flat[..., :bins], decoded=y.transpose(1, 2)) | {'class': flat[..., bins:]}


def as_float(m):
    return {k: v.float() if v.is_floating_point() else v for k, v in m.state_dict().items()}


def put(path, tensors):
    save_file({k: v.detach().float().contiguous() if v.is_floating_point() else v.contiguous() for k, v in tensors.items()}, path)


def write(args, form, out):
    x = scene.images(2, max(args.width, args.height), 9)[:, :, :args.height, :args.width]
    torch.save(checkpoint(args.model, args.classes, form, x), out)
    file = torch.load(out, map_location='cpu', weights_only=False)
    m = (file.get('ema') or file['model']).float().eval()
    found = {'state/' + k: v.clone() for k, v in as_float(m).items()} | {'images': x.permute(0, 2, 3, 1)} | outputs(m, x)
    found |= {'double/' + k: v for k, v in outputs(copy.deepcopy(m).double(), x.double()).items()}
    found |= {'fused/' + k: v for k, v in outputs(m.fuse(), x).items()}
    put(os.path.splitext(out)[0] + '.safetensors', found)


def load(args, file, pictures, out):
    m = checkout.model(args.model, args.classes).eval()
    m.load_state_dict(load_file(file), strict=True)
    put(out, outputs(m, load_file(pictures)['images'].permute(0, 3, 1, 2)))


args = ap.parse_args()
checkout.use(args.checkout)
dict(write=write, load=load)[args.what](args, *args.rest)
