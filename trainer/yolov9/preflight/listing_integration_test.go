//go:build integration

package preflight_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// listingWorld makes data sets whose images are listed in different ways, and returns their data.yaml files.
func listingWorld(t testing.TB, dir, checkout string) []string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for i, name := range []string{"b.jpg", "a.png", "deep/er/c.JPG", "deep/.hidden/d.jpg", ".e.jpg", "f.gif", "g.jpg.bak", "h.v2.jpg", "Z.jpeg", "none.jpg", "bad.jpg", "broken.jpg", "poly.jpg"} {
		for _, set := range []string{"one/images/train/", "two/v1.0/", "three/images/", "five/images/"} {
			content := asJPEG(t, pic(20+i, 30, uint8(i)))
			if name == "broken.jpg" {
				content = content[:len(content)/2]
			}
			files[set+name] = content
		}
		stem := name[:len(name)-len(filepath.Ext(name))]
		text := fmt.Sprintf("0 .5 .5 .2 .%d\n1 .3 .3 .1 .1\n", i+1)
		switch name {
		case "none.jpg":
			continue
		case "bad.jpg":
			text = "0 5 .5 .2 .2\n"
		case "Z.jpeg":
			text = ""
		}
		files["one/labels/train/"+stem+".txt"] = text
		files["two/v1.0/"+stem+".txt"] = text
		files["three/labels/"+stem+".txt"] = text
		files["five/labels/"+stem+".txt"] = text
	}
	files["three/list.txt"] = "\n  ./images/a.png\n" + dir + "/three/images/b.jpg\n./images/b.jpg\n./images/h.v2.jpg \n./images/none.jpg\n./images/missing.jpg\nREADME\n" + dir + "/three/images/b.jpg\n"
	names := "names: [a, b]\n"
	files["one.yaml"] = "path: " + dir + "/one\ntrain: images/train\nval: images/train\n" + names
	files["two.yaml"] = "path: " + dir + "/two\ntrain: v1.0\nval: v1.0\n" + names
	files["three.yaml"] = "path: " + dir + "/three\ntrain: list.txt\nval: images\n" + names
	files["four.yaml"] = "path: " + dir + "\ntrain: [three/list.txt, one/images/train/deep, five/images]\nval: three/images\n" + names
	put(t, dir, files)
	if err := os.Symlink(filepath.Join(dir, "one/images/train/deep"), filepath.Join(dir, "three/images/linked")); err != nil {
		t.Fatal(err)
	}
	return []string{dir + "/one.yaml", dir + "/two.yaml", dir + "/three.yaml", dir + "/four.yaml"}
}
