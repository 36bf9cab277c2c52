"""Mode export: the detections of final weights on the validation pictures, beside the objects that are there.

The official validation script detects; boxes are x, y, width, height in pixels of the source picture, classes
the data set's numbers. Objects are those that the official loader reads, corrupt pictures left out as there.
"""
import importlib
import os
import types

from . import files, run


def main(plan):
    run.start({**plan, 'argv': []})
    os.environ['YOLOv5_AUTOINSTALL'] = 'false'
    module = importlib.import_module({'train.py': 'val', 'train_dual.py': 'val_dual', 'train_triple.py': 'val_triple'}[plan['script']])
    from utils.general import check_dataset, xyxy2xywh
    found = []

    def keep(predn, jdict, path, class_map):
        box = xyxy2xywh(predn[:, :4])
        box[:, :2] -= box[:, 2:] / 2
        for p, b in zip(predn.tolist(), box.tolist()):
            found.append({'file': str(path), 'class': int(p[5]), 'box': b, 'score': p[4]})

    module.opt = types.SimpleNamespace(min_items=0)  # run() reads a global that only exists when the script is started
    module.save_one_json = keep  # the list that it fills stays empty, so that no COCO file is looked for
    module.run(data=plan['data'], weights=plan['weights'], batch_size=int(plan['batch']), imgsz=int(plan['imgsz']), device=plan['device'],
               workers=int(plan['workers']), single_cls=bool(plan.get('single_cls')), save_json=True, plots=False,
               project=os.path.dirname(plan['out']), name='export', exist_ok=True)
    data = check_dataset(plan['data'], autodownload=False)
    images, truths = objects(data['val'], bool(plan.get('single_cls')))
    names = ['item'] if plan.get('single_cls') and len(data['names']) != 1 else [data['names'][i] for i in sorted(data['names'])]
    files.write_json(plan['out'], {'names': names, 'images': images, 'truths': truths, 'found': found})


def objects(path, single):
    """Pictures and their objects as the official loader reads them."""
    from utils.dataloaders import LoadImagesAndLabels
    s = LoadImagesAndLabels(path, img_size=64, batch_size=1, augment=False, cache_images=False, single_cls=single)
    truths = []
    for f, (w, h), labels in zip(s.im_files, s.shapes, s.labels):
        for c, x, y, bw, bh in labels.tolist():
            truths.append({'file': f, 'class': int(c), 'box': [(x - bw / 2) * w, (y - bh / 2) * h, bw * w, bh * h]})
    return list(s.im_files), truths
