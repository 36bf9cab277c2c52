package dataset_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/dataset"
)

func vocXML(objects ...string) string {
	return "<annotation><filename>other.png</filename>" + strings.Join(objects, "") + "</annotation>"
}

func vocObject(name, x0, y0, x1, y1 string) string {
	return "<object><name>" + name + "</name><bndbox><xmin>" + x0 + "</xmin><ymin>" + y0 + "</ymin><xmax>" + x1 + "</xmax><ymax>" + y1 +
		"</ymax></bndbox><part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part></object>"
}

func TestVOC(t *testing.T) {
	hard := strings.Replace(vocObject("dog", "1", "1", "9", "9"), "<bndbox>", "<difficult>1</difficult><bndbox>", 1)
	root := tree(t, map[string]string{
		"ImageSets/Main/train.txt": "a 1\nb -1\nlost\nodd\n", "ImageSets/Main/val.txt": "c\n", "ImageSets/Main/dog_train.txt": "zzz",
		"JPEGImages/a.png": "40x40", "JPEGImages/b.png": "40x40", "JPEGImages/other.png": "40x40", "JPEGImages/odd.png": "40x40",
		"Annotations/a.xml": vocXML(vocObject("dog", "10", "12.5", "20", "30"), vocObject("cat", "5", "5", "5", "9"), vocObject("dog", "-8", "0", "20", "30"),
			vocObject("dog", "60", "0", "70", "30"), vocObject("", "1", "1", "2", "2"), "<object><name>dog</name></object>", hard),
		"Annotations/b.xml": vocXML(), "Annotations/c.xml": vocXML(vocObject("ant", "1", "1", "9", "9")), "Annotations/odd.xml": "<annotation>",
	})
	d := load(t, root, 40)
	wantNotes(t, d,
		[]string{"lost.xml", "image lost left out"},
		[]string{"odd.xml", "image odd left out"},
		[]string{"a.xml: object 2 left out", "no area"},
		[]string{"a.xml: object 3 cut"},
		[]string{"a.xml: object 4 left out", "no part"},
		[]string{"a.xml: object 5 left out", "no name"},
		[]string{"a.xml: object 6 left out", "bndbox"},
		[]string{"1 objects are marked difficult"},
	)
	if !slices.Equal(d.Classes, []string{"ant", "cat", "dog"}) || len(d.Train) != 2 || len(d.Val) != 1 {
		t.Fatalf("classes %v, %d train, %d val", d.Classes, len(d.Train), len(d.Val))
	}
	want := []dataset.Box{{Class: 2, X0: 10, Y0: 12.5, X1: 20, Y1: 30}, {Class: 2, X0: 0, Y0: 0, X1: 20, Y1: 30}, {Class: 2, X0: 1, Y0: 1, X1: 9, Y1: 9}}
	if !slices.Equal(d.Train[0].Boxes, want) {
		t.Errorf("boxes %v, want %v", d.Train[0].Boxes, want)
	}
	if d.Val[0].Name != "c" || d.Val[0].Boxes[0].Class != 0 {
		t.Errorf("val %v", d.Val[0].Boxes)
	}
}

// The microscope images of BCCD: counts as its lists and annotations give them to an independent count with grep
// (splits 205, 87, 72; 4,888 objects, of which two have no size).
func TestBCCD(t *testing.T) {
	const at = "../../../shared/data/bccd"
	if _, err := os.Stat(at); err != nil {
		t.Skipf("the BCCD images are not there: %v", err)
	}
	if testing.Short() {
		t.Skip("short: 364 images take seconds")
	}
	d := load(t, at, 160)
	if !slices.Equal(d.Classes, []string{"Platelets", "RBC", "WBC"}) || d.Native != 4 {
		t.Errorf("classes %v, native %v", d.Classes, d.Native)
	}
	if got := [3]int{len(d.Train), len(d.Val), len(d.Test)}; got != [3]int{205, 87, 72} {
		t.Errorf("splits %v", got)
	}
	if n := boxes(d.Train) + boxes(d.Val) + boxes(d.Test); n != 4886 {
		t.Errorf("%d boxes, want 4886; notes: %v", n, d.Notes)
	}
	t.Log(strings.Join(d.Notes, "\n"))
}

func FuzzVOC(f *testing.F) {
	f.Add(vocXML(vocObject("dog", "1", "1", "9", "9")))
	f.Add(vocXML(vocObject("dog", "-1e300", "NaN", "Inf", "9")))
	png := []byte(nil)
	f.Fuzz(func(t *testing.T, xml string) {
		if png == nil {
			png = picture(t, 8, 8)
		}
		root := tree(t, map[string]string{"ImageSets/Main/train.txt": "a\nb", "JPEGImages/a.png": string(png), "JPEGImages/b.png": string(png),
			"Annotations/a.xml": xml, "Annotations/b.xml": vocXML(vocObject("cat", "1", "1", "5", "5"))})
		checkBoxes(t, load(t, root, 8))
	})
}
