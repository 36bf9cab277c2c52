"""Writes hsv.json: colours whose hue, saturation and value were multiplied, by Python's own colorsys.

    python hsv.py

Colours are r, g, b of 0..255; results are 0..1. Hue goes around the circle, saturation and value stop at 1.
"""
import colorsys
import json

levels = [0, 1, 60, 128, 200, 254, 255]
cases = []
for hue, saturation, value in [(1, 1, 1), (1.5, 1, 1), (0.5, 1, 1), (1, 1.7, 1), (1, 0.3, 1), (1, 1, 1.4), (1, 1, 0.6), (1.015, 0.6, 1.2), (0.985, 1.7, 0.6)]:
    rows = []
    for r in levels:
        for g in levels:
            for b in levels:
                h, s, v = colorsys.rgb_to_hsv(r / 255, g / 255, b / 255)
                out = colorsys.hsv_to_rgb(h * hue % 1, min(s * saturation, 1), min(v * value, 1))
                rows.append([r, g, b] + [round(x, 5) for x in out])
    cases.append({"hue": hue, "saturation": saturation, "value": value, "colours": rows[:: 8 if hue == 1 else 5]})
with open("hsv.json", "w") as f:
    json.dump(cases, f, separators=(",", ":"))
    f.write("\n")
