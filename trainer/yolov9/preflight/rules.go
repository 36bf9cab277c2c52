package preflight

// rules of pictures and label files, in the words of a report. "left out" means that the official code drops the
// picture with all its labels and goes on.
var fileRules = byKind(
	rule{"image-missing", Warning, "listed images do not exist and are left out", "mend the list, or bring the files"},
	rule{"image-broken", Warning, "images cannot be read and are left out", "replace or remove them"},
	rule{"image-truncated", Warning, "images end early and are left out", "fetch them again"},
	rule{"image-restored", Warning, "JPEG files have bytes behind their end; the official code writes such files anew, over yours, at quality 100", "write them anew yourself before training, or keep a copy"},
	rule{"image-small", Warning, "images are smaller than 10 pixels and left out", "remove them"},
	rule{"image-huge", Warning, "images have more pixels than Pillow accepts (179 million) and are left out", "cut them into tiles"},
	rule{"image-format", Warning, "images are of a format that the official code leaves out", "convert them to JPEG or PNG"},
	rule{"image-decode", Error, "images pass the official check but cannot be decoded: training stops when it reaches one", "replace or remove them"},
	rule{"image-unsure", Note, "images could not be checked here; the official code may well read them", "look at them if training stops with 'Image Not Found'"},

	rule{"label-encoding", Warning, "label files are not UTF-8 text: their images are left out", "save them as UTF-8"},
	rule{"label-columns", Warning, "label rows have the wrong number of columns: their images are left out", "write class, centre x, centre y, width, height, or class and the corners of a polygon (3 or more, x and y)"},
	rule{"label-number", Warning, "label rows hold what is no number: their images are left out", "mend the rows"},
	rule{"label-negative", Warning, "label rows have negative values: their images are left out", "write classes from 0, and shares of the picture's sides"},
	rule{"label-range", Warning, "label rows have coordinates above 1: their images are left out", "divide pixels by the picture's width and height, and clip"},
	rule{"label-unreadable", Warning, "label files cannot be read: their images are left out", "give the user read permission"},
	rule{"class-range", Error, "labels have class numbers that names does not have: the official code stops", "add the classes to names, or mend the labels"},
	rule{"class-fraction", Error, "class numbers are no whole numbers: training rounds them down, validation counts them as other classes", "mend the labels"},
	rule{"label-mixed-rows", Error, "rows of boxes stand in files of polygons: the official code takes centre and size for two corners and trains on that box", "write the box as a polygon of 4 corners: x0 y0 x1 y0 x1 y1 x0 y1"},
	rule{"label-twice", Note, "label rows occur twice in a file; the official code uses each once", "remove them"},
	rule{"label-area", Warning, "boxes have no width or no height: they can never be found and count as missed", "remove or mend them"},
	rule{"label-outside", Note, "boxes reach out of the picture", "clip them"},
	rule{"label-none", Note, "images have no label file and count as background", "check the place if they show objects: the last /images/ of the path becomes /labels/, the ending .txt"},
)

func byKind(rules ...rule) map[string]rule {
	m := make(map[string]rule, len(rules))
	for _, r := range rules {
		m[r.kind] = r
	}
	return m
}

// rules of a data set as a whole.
var (
	ruleLabelShared  = rule{"label-shared", Warning, "images of different endings share one label file", "give the images different names"}
	ruleLabelOrphan  = rule{"label-orphan", Note, "label files have no image of their name", "remove them, or bring the images"}
	ruleImageTwice   = rule{"image-twice", Warning, "images of one split have the same content", "keep one of each, or count them as weight on purpose"}
	ruleOverlap      = rule{"split-overlap", Warning, "images of val have the same content as images of train: their score is not that of unseen images", "remove them from one of the two"}
	ruleCacheStale   = rule{"cache-stale", Warning, "labels are newer than the official label cache, which still counts as valid since total size and names have not changed: the old labels would be trained", "delete the cache"}
	ruleCacheFolder  = rule{"cache-folder", Warning, "the folder of the label cache cannot be written: every trial reads all labels anew before it starts", "give the user write permission, or copy the data"}
	ruleCacheShared  = rule{"cache-shared", Warning, "train and val have one label cache between them, which each overwrites: every trial reads all labels anew, and parallel trials get in each other's way", "put the labels of the splits in folders of their own, whose names differ before the last dot"}
	ruleClassUntrain = rule{"class-untrained", Warning, "classes have no object in train: they cannot be learned", "add examples, or take the classes out of names"}
	ruleClassUnseen  = rule{"class-unscored", Warning, "classes have no object in val: mAP is the mean over the others", "add examples to val"}
)
