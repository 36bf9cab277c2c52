#!/usr/bin/env python3
"""Makes data/ of this folder: the pictures, boxes and digits that mapsweep embeds.

usage: make.py DEEPFOREST_DATA DIGITS_CSV_GZ

DEEPFOREST_DATA  the folder deepforest/data of the unpacked deepforest 2.1.0 wheel
DIGITS_CSV_GZ    sklearn/datasets/data/digits.csv.gz of scikit-learn 1.9.1
Needs Pillow (13.0.0 made the committed files). Sources and licences: README.md.
"""
import csv, os, shutil, sys, xml.etree.ElementTree as ET
from PIL import Image

PICTURES = {  # name here: name in the wheel
    "yell-528000": "2019_YELL_2_528000_4978000_image_crop2",
    "yell-541000": "2019_YELL_2_541000_4977000_image_crop",
    "osbs-029": "OSBS_029",
}
LIMIT = 5_000_000  # bytes in all


def main():
    src, digits = sys.argv[1], sys.argv[2]
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "trees.csv"), "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(["picture", "x0", "y0", "x1", "y1"])
        for name, old in PICTURES.items():
            im = Image.open(os.path.join(src, old + ".png")).convert("RGB")
            im.save(os.path.join(out, name + ".jpg"), quality=85, optimize=True)
            n = 0
            for o in ET.parse(os.path.join(src, old + ".xml")).getroot().findall("object"):
                w.writerow([name] + [o.find("bndbox/" + t).text for t in ("xmin", "ymin", "xmax", "ymax")])
                n += 1
            print(f"{name}: {im.width}x{im.height}, {n} boxes")
    shutil.copyfile(digits, os.path.join(out, "digits.csv.gz"))
    total = 0
    for n in sorted(os.listdir(out)):
        size = os.path.getsize(os.path.join(out, n))
        total += size
        print(f"{size:9d} {n}")
    print(f"{total:9d} in all")
    if total > LIMIT:
        sys.exit(f"more than {LIMIT} bytes")


main()
