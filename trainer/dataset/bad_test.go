package dataset_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
)

func encoded(t *testing.T, m image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// deepPicture has 16 bits a channel; its red is 0x80ff.
func deepPicture() image.Image {
	m := image.NewRGBA64(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		m.SetRGBA64(i%8, i/8, color.RGBA64{0x80ff, uint16(i * 1000), 0x1234, 0xffff})
	}
	return m
}

func photo(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	m := image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i * 7)
	}
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// claims is a PNG that says it has w x h pixels, and has none.
func claims(w, h uint32) string {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = append(binary.BigEndian.AppendUint32(head, h), 8, 2, 0, 0, 0)
	b := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	b = binary.BigEndian.AppendUint32(append(b, head...), crc32.ChecksumIEEE(head))
	return string(b)
}

func utf16(s string) string {
	b := []byte("\xff\xfe")
	for _, r := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(r))
	}
	return string(b)
}

// A data set with two good pictures and one odd file: what becomes of it. used is how many pictures and boxes train has,
// note what is said of it ("": nothing), refused the words of an error instead.
func TestBadData(t *testing.T) {
	cmyk, err := os.ReadFile("testdata/formats/cmyk.jpg")
	if err != nil {
		t.Fatal(err)
	}
	turned, err := os.ReadFile("testdata/oriented/6.jpg")
	if err != nil {
		t.Fatal(err)
	}
	const box = "0 .5 .5 .5 .5\n"
	jpg := photo(t)
	type files = map[string]string
	for name, c := range map[string]struct {
		files           files // beside or instead of the good ones
		pictures, boxes int
		note, refused   string
	}{
		"nothing odd": {files{}, 2, 2, "", ""},

		"empty file":        {files{"images/c.jpg": "", "labels/c.txt": box}, 2, 2, "c.jpg left out: file is empty", ""},
		"zero bytes":        {files{"images/c.jpg": strings.Repeat("\x00", 5000), "labels/c.txt": box}, 2, 2, "c.jpg left out: image: unknown format", ""},
		"truncated JPEG":    {files{"images/c.jpg": jpg[:len(jpg)/2], "labels/c.txt": box}, 2, 2, "c.jpg left out: ", ""},
		"JPEG without end":  {files{"images/c.jpg": jpg[:len(jpg)-2], "labels/c.txt": box}, 2, 2, "c.jpg left out: ", ""},
		"JPEG with zeros":   {files{"images/c.jpg": jpg[:len(jpg)/2] + strings.Repeat("\x00", len(jpg)/2), "labels/c.txt": box}, 2, 2, "c.jpg left out: ", ""},
		"PNG that is JPEG":  {files{"images/c.png": jpg, "labels/c.txt": box}, 3, 3, "", ""},
		"text as picture":   {files{"images/c.jpg": "<html>404</html>", "labels/c.txt": box}, 2, 2, "c.jpg left out: image: unknown format", ""},
		"400 million pixel": {files{"images/c.png": claims(20000, 20000), "labels/c.txt": box}, 2, 2, "20000 x 20000 pixels are more than", ""},
		"no pixels":         {files{"images/c.png": claims(0, 5), "labels/c.txt": box}, 2, 2, "c.png left out: ", ""},

		"16 bits":     {files{"images/c.png": encoded(t, deepPicture()), "labels/c.txt": box}, 3, 3, "2 pictures have 16 bits a channel", ""},
		"grey":        {files{"images/c.png": encoded(t, image.NewGray(image.Rect(0, 0, 9, 9))), "labels/c.txt": box}, 3, 3, "are grey", ""},
		"grey of 16":  {files{"images/c.png": encoded(t, image.NewGray16(image.Rect(0, 0, 9, 9))), "labels/c.txt": box}, 3, 3, "are grey", ""},
		"alpha":       {files{"images/c.png": encoded(t, image.NewNRGBA(image.Rect(0, 0, 9, 9))), "labels/c.txt": box}, 3, 3, "have transparent parts", ""},
		"CMYK":        {files{"images/c.jpg": string(cmyk), "labels/c.txt": box}, 3, 3, "are CMYK", ""},
		"EXIF turned": {files{"images/c.jpg": string(turned), "labels/c.txt": box}, 3, 3, "turned by their EXIF orientation", ""},
		"1 x 1":       {files{"images/c.png": "1x1", "labels/c.txt": box}, 3, 3, "smaller than 4 pixels", ""},
		"20000 wide":  {files{"images/c.png": "20000x5", "labels/c.txt": box}, 3, 3, "20 times as wide as high", ""},

		"empty label":        {files{"images/c.png": "8x8", "labels/c.txt": ""}, 3, 2, "", ""},
		"blank label":        {files{"images/c.png": "8x8", "labels/c.txt": "\n \r\n"}, 3, 2, "", ""},
		"no label":           {files{"images/c.png": "8x8"}, 3, 2, "c.txt does not exist", ""},
		"class too large":    {files{"images/c.png": "8x8", "labels/c.txt": "2 .5 .5 .5 .5"}, 3, 2, "c.txt:1 left out: class 2 is out of range", ""},
		"class negative":     {files{"images/c.png": "8x8", "labels/c.txt": "-1 .5 .5 .5 .5"}, 3, 2, "class -1 is out of range", ""},
		"class broken":       {files{"images/c.png": "8x8", "labels/c.txt": "0.5 .5 .5 .5 .5"}, 3, 2, "class 0.5 is out of range", ""},
		"class as name":      {files{"images/c.png": "8x8", "labels/c.txt": "cat .5 .5 .5 .5"}, 3, 2, `"cat" is no number`, ""},
		"NaN":                {files{"images/c.png": "8x8", "labels/c.txt": box + "1 nan .5 .5 .5"}, 3, 3, `c.txt:2 left out: "nan" is no number`, ""},
		"infinite":           {files{"images/c.png": "8x8", "labels/c.txt": "1 .5 .5 1e999 .5"}, 3, 2, `"1e999" is no number`, ""},
		"pixels, not shares": {files{"images/c.png": "8x8", "labels/c.txt": "1 4 4 2 2"}, 3, 2, "4 is out of range: want shares", ""},
		"box outside":        {files{"images/c.png": "8x8", "labels/c.txt": "1 1.0005 .5 .0004 .5"}, 3, 2, "no part of the box lies in", ""},
		"box reaches out":    {files{"images/c.png": "80x80", "labels/c.txt": "1 .9 .5 .5 .5"}, 3, 3, "c.txt:1 cut: the box reaches", ""},
		"box without area":   {files{"images/c.png": "8x8", "labels/c.txt": "1 .5 .5 0 .5"}, 3, 2, "the box has no area", ""},
		"four values":        {files{"images/c.png": "8x8", "labels/c.txt": "1 .5 .5 .5"}, 3, 2, "4 values: want class cx cy w h", ""},
		"twice":              {files{"images/c.png": "8x8", "labels/c.txt": box + box}, 3, 3, "c.txt:2 left out: the same box again", ""},
		"byte order mark":    {files{"images/c.png": "8x8", "labels/c.txt": "\ufeff" + box}, 3, 3, "", ""},
		"CRLF":               {files{"images/c.png": "8x8", "labels/c.txt": "0 .5 .5 .5 .5\r\n1 .2 .2 .1 .1\r\n"}, 3, 4, "", ""},
		"label in UTF-16":    {files{"images/c.png": "8x8", "labels/c.txt": utf16(box)}, 2, 2, "save it as UTF-8: picture", ""},
		"binary label":       {files{"images/c.png": "8x8", "labels/c.txt": jpg[:40]}, 3, 2, "c.txt:1 left out", ""},

		"data.yaml with mark and CRLF": {files{"data.yaml": "\ufefftrain: images\r\nval: images\r\nnames: [a, b]\r\n"}, 2, 2, "", ""},
		"list with mark and CRLF":      {files{"data.yaml": "train: list.txt\nval: images\nnames: [a, b]", "list.txt": "\ufeffimages/a.png\r\nimages/b.png\r\n"}, 2, 2, "", ""},
		"list of what is not there":    {files{"data.yaml": "train: list.txt\nval: images\nnames: [a, b]", "list.txt": "images/a.png\nimages/z.png"}, 1, 1, "z.png left out: open", ""},
		"data.yaml in UTF-16":          {files{"data.yaml": utf16("train: images")}, 0, 0, "", "save it as UTF-8"},
		"all labels bad":               {files{"labels/a.txt": "7 .5 .5 .5 .5", "labels/b.txt": "0 nan .5 .5 .5"}, 0, 0, "", "have no usable box"},
		"all pictures bad":             {files{"images/a.png": "x", "images/b.png": "x"}, 0, 0, "", "none can be read"},
	} {
		t.Run(name, func(t *testing.T) {
			all := files{"data.yaml": "train: images\nval: images\nnames: [a, b]", "images/a.png": "8x8", "images/b.png": "8x8", "labels/a.txt": box, "labels/b.txt": box}
			for k, v := range c.files {
				all[k] = v
			}
			d, err := dataset.Load(t.Context(), tree(t, all), dataset.Options{Size: 32})
			if c.refused != "" {
				if !errors.Is(err, trainer.ErrNoData) || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("error %v, want %q", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Train) != c.pictures || boxes(d.Train) != c.boxes {
				t.Errorf("%d pictures, %d boxes, want %d and %d", len(d.Train), boxes(d.Train), c.pictures, c.boxes)
			}
			if c.note == "" && len(d.Notes) > 0 || c.note != "" && !hasNote(d, c.note) {
				t.Errorf("notes %q, want %q", d.Notes, c.note)
			}
		})
	}
}

// The same of the other formats.
func TestBadDataOfOthers(t *testing.T) {
	const good = `<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></object></annotation>`
	voc := func(b string) map[string]string {
		return map[string]string{"ImageSets/Main/train.txt": "\ufeffa\r\nb\r\n", "Annotations/a.xml": good, "JPEGImages/a.png": "8x8", "Annotations/b.xml": b, "JPEGImages/b.png": "8x8"}
	}
	coco := func(annotations string) map[string]string {
		return map[string]string{"a.png": "8x8", "annotations/train.json": `{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 3, "name": "a"}],
			"annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 1, 5, 5]}` + annotations + `]}`}
	}
	marked := coco("")
	marked["annotations/train.json"] = "\ufeff" + marked["annotations/train.json"]
	for name, c := range map[string]struct {
		files           map[string]string
		pictures, boxes int
		note, refused   string
	}{
		"VOC, mark, CRLF":       {voc("\ufeff<?xml version=\"1.0\"?>\r\n" + good), 2, 2, "the val split has no images", ""},
		"VOC, declared GBK":     {voc(`<?xml version="1.0" encoding="GBK"?>` + good), 2, 2, "the val split has no images", ""},
		"VOC, is GBK":           {voc(`<?xml version="1.0" encoding="GBK"?><annotation>` + "\xc3\xa8\xff</annotation>"), 1, 1, "it is in GBK: save it as UTF-8", ""},
		"VOC, cut off":          {voc(good[:50]), 1, 1, "b.xml: XML syntax error", ""},
		"VOC, empty":            {voc(""), 1, 1, "b.xml: EOF", ""},
		"VOC, NaN":              {voc(strings.Replace(good, "<xmin>1", "<xmin>NaN", 1)), 2, 1, "NaN is no coordinate", ""},
		"VOC, no number":        {voc(strings.Replace(good, "<xmin>1", "<xmin>left", 1)), 1, 1, "b.xml: ", ""},
		"VOC, outside":          {voc(strings.Replace(good, "<xmin>1</xmin><ymin>1</ymin><xmax>6", "<xmin>10</xmin><ymin>1</ymin><xmax>16", 1)), 2, 1, "no part of the box lies", ""},
		"COCO, mark":            {marked, 1, 1, "the val split has no images", ""},
		"COCO, NaN":             {coco(`, {"id": 2, "image_id": 1, "category_id": 3, "bbox": [NaN, 1, 5, 5]}`), 0, 0, "", "line 2: invalid character 'N'"},
		"COCO, huge numbers":    {coco(`, {"id": 2, "image_id": 1, "category_id": 3, "bbox": [1e300, 1, 5, 5]}`), 1, 1, "no part of the box lies", ""},
		"COCO, unknown class":   {coco(`, {"id": 2, "image_id": 1, "category_id": 4, "bbox": [1, 1, 5, 5]}`), 1, 1, "category 4 is not among", ""},
		"COCO, three numbers":   {coco(`, {"id": 2, "image_id": 1, "category_id": 3, "bbox": [1, 1, 5]}`), 1, 1, "bbox is not 4 numbers", ""},
		"COCO, no such picture": {coco(`, {"id": 2, "image_id": 8, "category_id": 3, "bbox": [1, 1, 5, 5]}`), 1, 1, "there is no image 8", ""},
		"COCO, cut off":         {map[string]string{"annotations/train.json": `{"images": [`}, 0, 0, "", "unexpected end of JSON input"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := dataset.Load(t.Context(), tree(t, c.files), dataset.Options{Size: 32})
			if c.refused != "" {
				if !errors.Is(err, trainer.ErrNoData) || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("error %v, want %q", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Train) != c.pictures || boxes(d.Train) != c.boxes || !hasNote(d, c.note) {
				t.Errorf("%d pictures, %d boxes, notes %q; want %d, %d, %q", len(d.Train), boxes(d.Train), d.Notes, c.pictures, c.boxes, c.note)
			}
		})
	}
}

// Outlines come with the boxes: polygons of YOLO rows and of COCO, in pixels of the letterboxed picture.
func TestOutlines(t *testing.T) {
	yolo := load(t, tree(t, map[string]string{"data.yaml": "train: images\nval: images\nnames: [a]", "images/a.png": "64x32",
		"labels/a.txt": "0 .5 .5 .25 .5\n0 .25 .25 .5 .25 .375 .75\n"}), 64)
	coco := load(t, tree(t, map[string]string{"a.png": "64x32", "annotations/train.json": `{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 3, "name": "a"}], "annotations": [
		{"id": 1, "image_id": 1, "category_id": 3, "bbox": [24, 8, 16, 16], "segmentation": {"counts": [1], "size": [1, 1]}},
		{"id": 2, "image_id": 1, "category_id": 3, "bbox": [16, 8, 16, 16], "segmentation": [[16, 8, 32, 8, 24, 24], [1, 2, 3]]}]}`}), 64)
	for name, d := range map[string]*dataset.Dataset{"YOLO": yolo, "COCO": coco} {
		m := d.Train[0]
		if got, want := fmt.Sprint(m.Outlines), "[[] [[16 24 32 24 24 40]]]"; got != want {
			t.Errorf("%s: outlines %s, want %s", name, got, want)
		}
		if want := image.Rect(0, 16, 64, 48); m.Inner != want {
			t.Errorf("%s: the picture lies at %v, want %v", name, m.Inner, want)
		}
	}
	if d := load(t, tree(t, map[string]string{"data.yaml": "train: images\nval: images\nnames: [a]", "images/a.png": "8x8", "labels/a.txt": "0 .5 .5 .5 .5"}), 8); d.Train[0].Outlines != nil || !d.Train[0].Inner.Empty() {
		t.Errorf("outlines %v, lies at %v", d.Train[0].Outlines, d.Train[0].Inner)
	}
}

// Whatever has room in RAM, the data set is the same: hash, notes, pixels; and a file that changes is noticed.
func TestCache(t *testing.T) {
	files := map[string]string{"data.yaml": "train: images\nval: val\nnames: [a]", "images/z.png": "no picture"}
	for i := range 9 {
		files[fmt.Sprintf("images/%d.png", i)], files[fmt.Sprintf("labels/%d.txt", i)] = fmt.Sprintf("%dx20", 10+i), "0 .5 .5 .5 .5"
		files[fmt.Sprintf("val/%d.png", i)], files[fmt.Sprintf("val/%d.txt", i)] = fmt.Sprintf("20x%d", 10+i), "0 .5 .5 .5 .5"
	}
	root := tree(t, files)
	want := load(t, root, 16)
	for _, c := range []struct {
		cache int64
		kept  int
	}{{-1, 0}, {16 * 16 * 3 * 4, 4}, {16*16*3*11 + 5, 11}, {1 << 40, 18}} {
		d, err := dataset.Load(t.Context(), root, dataset.Options{Size: 16, Cache: c.cache})
		if err != nil {
			t.Fatal(err)
		}
		if d.Hash != want.Hash || fmt.Sprint(d.Notes) != fmt.Sprint(want.Notes) || d.Native != want.Native {
			t.Errorf("cache %d: another data set", c.cache)
		}
		kept := 0
		for i := range d.Train {
			for _, m := range []*dataset.Image{&d.Train[i], &d.Val[i]} {
				if m.Pix != nil {
					kept++
				}
				full := want.Train[i]
				if m == &d.Val[i] {
					full = want.Val[i]
				}
				if pix, err := m.Pixels(); err != nil || !bytes.Equal(pix, full.Pix) {
					t.Errorf("cache %d: %s has other pixels (%v)", c.cache, m.Name, err)
				}
			}
		}
		if kept != c.kept {
			t.Errorf("cache %d: %d pictures are kept, want %d", c.cache, kept, c.kept)
		}
	}
	d, err := dataset.Load(t.Context(), root, dataset.Options{Size: 16, Cache: -1})
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(root, "images", "3.png")
	if err := os.WriteFile(bad, picture(t, 20, 13), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Train[3].Pixels(); err == nil || !strings.Contains(err.Error(), bad) || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("changed file: %v", err)
	}
	if err := os.Remove(bad); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Train[3].Pixels(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), bad) {
		t.Errorf("removed file: %v", err)
	}
}
