package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Whatever name another program wrote into the database, the study's files stay in the folder.
func TestStudyDirStaysInside(t *testing.T) {
	a := &app{out: "runs"}
	if got := a.studyDir("quick-start.2"); got != filepath.Join("runs", "quick-start.2") {
		t.Errorf("a good name became %s", got)
	}
	for _, name := range []string{"../../escaped", "..", ".", "/etc/x", "a/b", "", "name with spaces", "名前"} {
		got := a.studyDir(name)
		rel, err := filepath.Rel("runs", got)
		if err != nil || rel == "." || strings.HasPrefix(rel, "..") || strings.ContainsRune(rel, filepath.Separator) {
			t.Errorf("%q: %s", name, got)
		}
	}
}
