#!/usr/bin/env python3
"""Writes oriented/ and formats/: one 6x4 picture in the formats and pixel types that Load decodes (Pillow 13.0.0 made them).

oriented/N.jpg looks like formats/rgb.jpg to whoever honours its EXIF orientation N. Pixel x, y is (40x, 60y, 20(x+y)); grey ones are 40x + 5y.
"""
import os
import numpy as np
from PIL import Image, ImageOps

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "formats")
os.makedirs(out, exist_ok=True)
y, x = np.mgrid[:4, :6]
rgb = Image.fromarray(np.stack([40 * x, 60 * y, 20 * (x + y)], 2).astype(np.uint8))
grey = Image.fromarray((40 * x + 5 * y).astype(np.uint8))
alpha = rgb.copy()
alpha.putalpha(Image.fromarray((255 - 40 * x).astype(np.uint8)))
rgb.save(out + "/rgb.png")
rgb.save(out + "/rgb.bmp")
rgb.save(out + "/rgb.tif", compression="tiff_lzw")
rgb.save(out + "/rgb.webp", lossless=True)
rgb.save(out + "/rgb.jpg", quality=100, subsampling=0)
rgb.quantize(24).save(out + "/palette.png")
alpha.save(out + "/alpha.png")
grey.save(out + "/grey.png")
grey.save(out + "/grey.jpg", quality=100)
rgb.convert("CMYK").save(out + "/cmyk.jpg", quality=100, subsampling=0)
Image.fromarray((40 * x + 5 * y).astype(np.uint16) * 257).save(out + "/grey16.png")

T = Image.Transpose
BACK = {2: T.FLIP_LEFT_RIGHT, 3: T.ROTATE_180, 4: T.FLIP_TOP_BOTTOM, 5: T.TRANSPOSE, 6: T.ROTATE_90, 7: T.TRANSVERSE, 8: T.ROTATE_270}
os.makedirs(os.path.join(out, "..", "oriented"), exist_ok=True)
for n, t in BACK.items():
    at = os.path.join(out, "..", "oriented", f"{n}.jpg")
    exif = Image.Exif()
    exif[0x0112] = n
    rgb.transpose(t).save(at, quality=100, subsampling=0, exif=exif)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(at))).astype(int)
    assert np.abs(seen - np.asarray(rgb)).max() <= 3, n
