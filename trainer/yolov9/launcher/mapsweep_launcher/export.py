"""Mode export: the detections of final weights on the validation pictures, as COCO JSON.

The official validation script writes them; categories are the data set's class numbers, boxes are x, y,
width, height in pixels of the source picture.
"""
import importlib
import os

from . import files, run


def main(plan):
    run.start({**plan, 'script': plan['script'], 'argv': []})
    os.environ['YOLOv5_AUTOINSTALL'] = 'false'
    module = importlib.import_module({'train.py': 'val', 'train_dual.py': 'val_dual', 'train_triple.py': 'val_triple'}[plan['script']])
    out = plan['out']
    found = []

    def keep(predn, jdict, path, class_map):
        from utils.general import xyxy2xywh
        box = xyxy2xywh(predn[:, :4])
        box[:, :2] -= box[:, 2:] / 2
        for p, b in zip(predn.tolist(), box.tolist()):
            found.append({'file': str(path), 'category_id': int(p[5]), 'bbox': b, 'score': p[4]})

    module.save_one_json = keep  # the list that it fills stays empty, so that no COCO file is looked for
    module.run(data=plan['data'], weights=plan['weights'], batch_size=int(plan['batch']), imgsz=int(plan['imgsz']), device=plan['device'],
               workers=int(plan['workers']), single_cls=bool(plan.get('single_cls')), save_json=True, plots=False,
               project=os.path.dirname(out), name='export', exist_ok=False)
    files.write_json(out, found)
