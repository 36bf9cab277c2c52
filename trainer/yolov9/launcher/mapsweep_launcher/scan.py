"""Mode cache: scans the labels of a data set once and leaves the caches that the official loader reads.

Trials that start side by side would all write the same file, without a lock.
"""
from . import files, run


def main(plan):
    run.start({**plan, 'script': plan['script'], 'argv': []})
    from utils.dataloaders import LoadImagesAndLabels
    from utils.general import check_dataset
    data = check_dataset(plan['data'], autodownload=False)
    found = {}
    for split in ('train', 'val'):
        s = LoadImagesAndLabels(data[split], img_size=64, batch_size=1, augment=False, cache_images=False, prefix=f'{split}: ')
        found[split] = {'images': len(s.im_files), 'boxes': int(sum(len(x) for x in s.labels)), 'polygons': int(sum(len(x) for x in s.segments))}
    files.write_json(plan['out'], found)
