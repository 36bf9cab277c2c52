package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// programs makes a folder with this test's own program under these names, by which TestMain knows what to be.
func programs(t *testing.T, dir string, names ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// writeFiles writes texts by their names.
func writeFiles(t *testing.T, dir string, texts map[string]string) {
	t.Helper()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// startStudy starts the program of a folder on its study s.yaml, with the database out.db and the folder out, further
// variables and arguments, and returns what it will have said.
func startStudy(t *testing.T, dir, out string, env []string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	bin := filepath.Join(dir, "bin")
	cmd := exec.Command(filepath.Join(bin, "mapsweep"), append([]string{"run", "s.yaml", "--plain", "--db", out + ".db", "--out", out}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "NO_COLOR=1", "MAPSWEEP_FAKE_GPUS=none", "PATH="+bin+":"+os.Getenv("PATH")), env...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &text
}

// pictureSet is the data.yaml of the pictures that samples writes into a folder.
func pictureSet(dir string) string {
	return "path: " + dir + "\ntrain: images/train\nval: images/val\nnames: [square]\n"
}
