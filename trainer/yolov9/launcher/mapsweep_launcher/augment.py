"""Augmentation levers: photometric RandAugment and AutoAugment, and copy-paste of boxes.

Geometric operations of the published policies are left out: the official hook does not move boxes. All
draws come from Python's random, as those of the official augmentations do.
"""
import random

import numpy as np

# AutoAugment's policy for ImageNet (Cubuk et al. 2019, table 9): the sub-policies without geometric
# operations, as (operation, probability, magnitude of 10).
AUTOAUGMENT = [
    (('solarize', 0.6, 5), ('autocontrast', 0.6, 5)), (('equalize', 0.8, 8), ('equalize', 0.6, 3)),
    (('posterize', 0.6, 7), ('posterize', 0.6, 6)), (('equalize', 0.4, 7), ('solarize', 0.2, 4)),
    (('solarize', 0.6, 3), ('equalize', 0.6, 7)), (('posterize', 0.8, 5), ('equalize', 1.0, 2)),
    (('equalize', 0.6, 8), ('posterize', 0.4, 6)), (('color', 0.6, 4), ('contrast', 1.0, 8)),
    (('color', 0.8, 8), ('solarize', 0.8, 7)), (('sharpness', 0.4, 7), ('invert', 0.6, 8)),
    (('invert', 0.6, 4), ('equalize', 1.0, 8)), (('equalize', 0.0, 7), ('equalize', 0.8, 8)),
]

# RandAugment (Cubuk et al. 2020) without geometric operations.
RANDAUGMENT = ('identity', 'brightness', 'contrast', 'color', 'sharpness', 'posterize', 'solarize', 'autocontrast', 'equalize')


def operate(image, name, level):
    """Applies an operation of strength level, 0 to 1, to a PIL image in RGB."""
    from PIL import ImageEnhance, ImageOps
    if name in ('brightness', 'contrast', 'color', 'sharpness'):
        factor = 1 + random.choice((-1, 1)) * 0.9 * level
        return getattr(ImageEnhance, name.capitalize())(image).enhance(factor)
    if name == 'posterize':
        return ImageOps.posterize(image, 8 - round(4 * level))
    if name == 'solarize':
        return ImageOps.solarize(image, 256 - round(256 * level))
    if name in ('autocontrast', 'equalize', 'invert'):
        return getattr(ImageOps, name)(image)
    return image  # identity


def policy(kind, n, m):
    """A function from PIL image to PIL image."""
    def randaugment(image):
        for name in random.choices(RANDAUGMENT, k=n):
            image = operate(image, name, m / 30)
        return image

    def autoaugment(image):
        for name, p, magnitude in random.choice(AUTOAUGMENT):
            if random.random() < p:
                image = operate(image, name, magnitude / 10)
        return image

    return {'randaugment': randaugment, 'autoaugment': autoaugment}[kind]


def paste_boxes(im, labels, p):
    """Copy-paste where labels are boxes: mirrored boxes that cover no object by 30 % or more are pasted.

    im: HWC uint8, changed in place; labels: (n, 5) class, x1, y1, x2, y2 in pixels. Returns the new labels.
    The rule of the official copy-paste, with rectangles instead of polygons: the background comes along.
    """
    h, w = im.shape[:2]
    boxes = np.stack([w - labels[:, 3], labels[:, 2], w - labels[:, 1], labels[:, 4]], axis=-1)
    free = np.nonzero((_covered(boxes, labels[:, 1:5]) < 0.30).all(1))[0]
    mirrored = im[:, ::-1].copy()
    for j in random.sample(list(free), k=round(p * len(free))):
        x1, y1, x2, y2 = (int(v) for v in (max(boxes[j, 0], 0), max(boxes[j, 1], 0), min(boxes[j, 2], w), min(boxes[j, 3], h)))
        if x2 <= x1 or y2 <= y1:
            continue
        im[y1:y2, x1:x2] = mirrored[y1:y2, x1:x2]
        labels = np.concatenate((labels, [[labels[j, 0], *boxes[j]]]), 0)
    return labels


def _covered(a, b):
    """Intersection over the area of b, for each pair: (n, 4) and (m, 4) boxes in, (n, m) out."""
    overlap = (np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])).clip(0).prod(2)
    return overlap / ((b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) + 1e-16)[None]


def attach(levers, pulled):
    """Patches utils.augmentations; must run before utils.dataloaders is imported, which copies the names."""
    import utils.augmentations as ua
    if 'autoaugment' in levers:
        spec = levers['autoaugment']
        apply = policy(spec['kind'], int(spec.get('n', 2)), int(spec.get('m', 9)))
        pulled.update(autoaugment=spec['kind'], randaugment_n=int(spec.get('n', 2)), randaugment_m=int(spec.get('m', 9)))

        class WithPolicy(ua.Albumentations):
            def __call__(self, im, labels, *args, **kwargs):
                from PIL import Image
                im, labels = super().__call__(im, labels, *args, **kwargs)
                rgb = apply(Image.fromarray(np.ascontiguousarray(im[..., ::-1])))
                return np.ascontiguousarray(np.asarray(rgb)[..., ::-1]), labels

        ua.Albumentations = WithPolicy
    if levers.get('copy_paste_boxes'):
        original = ua.copy_paste
        pulled['copy_paste_boxes'] = True

        def copy_paste(im, labels, segments, p=0.5):
            if len(segments) or not p or not len(labels):
                return original(im, labels, segments, p=p)
            return im, paste_boxes(im, labels, p), segments

        ua.copy_paste = copy_paste
