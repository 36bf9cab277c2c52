#!/usr/bin/env python3
"""Writes pillow.json: one small picture and what Pillow makes of it (13.0.0 made the committed file).

usage: pillow.py > pillow.json        needs numpy and Pillow
Pictures are base64 of rows of pixels.
"""
import base64, json
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps, __version__

W, H = 23, 17


def b64(im):
    return base64.b64encode(np.asarray(im).tobytes()).decode()


def main():
    r = np.random.default_rng(7)
    a = r.integers(0, 256, (H, W, 3)).astype(np.uint8)          # noise, with a smooth half
    a[:, :11] = (np.arange(H)[:, None, None] * 9 + np.arange(11)[None, :, None] * 7 + np.array([0, 40, 90])) % 256
    rgb = Image.fromarray(a)
    grey = Image.fromarray(a[:, :, 1].copy())
    out = []

    def case(op, arg, src, im):
        out.append(dict(op=op, arg=arg, channels=len(src.getbands()), w=im.width, h=im.height, pix=b64(im)))

    for w, h in ((46, 30), (11, 8), (23, 40), (7, 17), (1, 1), (35, 5), (11, 40), (35, 20), (24, 16)):
        case("bicubic", [w, h], rgb, rgb.resize((w, h), Image.BICUBIC))
        case("bilinear", [w, h], rgb, rgb.resize((w, h), Image.BILINEAR))
    case("bicubic", [40, 40], grey, grey.resize((40, 40), Image.BICUBIC))
    for s in (.3, 1, 2, 3.7):
        case("blur", [s], rgb, rgb.filter(ImageFilter.GaussianBlur(s)))
    for d in (-14.2, 0, .01, 15, 33.3):
        case("rotate", [d], grey, grey.rotate(d, Image.BICUBIC))
    case("rotate", [7.5], rgb, rgb.rotate(7.5, Image.BICUBIC))
    for z, ox, oy in ((1.3, -2.5, 3.25), (.7, 4, 1.5), (1, 2.4, -3.3)):
        im = rgb.transform((W, H), Image.AFFINE, (1 / z, 0, -ox / z, 0, 1 / z, -oy / z), Image.BILINEAR, fillcolor=(114,) * 3)
        case("affine", [1 / z, -ox / z, -oy / z], rgb, im)
    for m in ((.9, -.3, 4.5, .25, 1.1, -3), (1.2, .4, -6, -.35, .8, 5, .01, -.004), (.5, 0, 3, .02, .6, 2, -.02, .015)):
        how = Image.AFFINE if len(m) == 6 else Image.PERSPECTIVE
        case("warp", list(m), rgb, rgb.transform((W, H), how, m, Image.BILINEAR, fillcolor=(114,) * 3))
    case("invert", [], rgb, ImageOps.invert(rgb))
    for g in (.73, 1.27, .25, 1.75):
        case("brightness", [g], rgb, ImageEnhance.Brightness(rgb).enhance(g))
        case("contrast", [g], rgb, ImageEnhance.Contrast(rgb).enhance(g))
        case("colour", [g], rgb, ImageEnhance.Color(rgb).enhance(g))
        case("sharpness", [g], rgb, ImageEnhance.Sharpness(rgb).enhance(g))
    for n in (7, 4):
        case("posterize", [n], rgb, ImageOps.posterize(rgb, n))
    for n in (179, 0, 256):
        case("solarize", [n], rgb, ImageOps.solarize(rgb, n))
    dull = a // 3 + 40                                           # one channel nearly flat, one flat
    dull[:, :, 1] = 77
    dull[:, :, 2] = 100 + (a[:, :, 2] > 250)
    dull = Image.fromarray(dull)
    case("dull", [], rgb, dull)
    case("autocontrast", [], rgb, ImageOps.autocontrast(dull))
    case("equalize", [0], rgb, ImageOps.equalize(rgb))
    case("equalize", [1], rgb, ImageOps.equalize(dull))
    big = Image.fromarray(np.tile(a, (4, 4, 1)))                 # enough pixels for a step above 1
    case("equalize", [2], rgb, ImageOps.equalize(big).crop((0, 0, W, H)))
    print(json.dumps(dict(pillow=__version__, w=W, h=H, rgb=b64(rgb), grey=b64(grey), cases=out), indent=0))


main()
