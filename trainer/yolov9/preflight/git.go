package preflight

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// commitOf reads the commit of a checkout from its .git, or returns "".
func commitOf(dir string) string {
	git := filepath.Join(dir, ".git")
	if b, err := os.ReadFile(git); err == nil { // a work tree or a submodule: "gitdir: PATH"
		rest, ok := strings.CutPrefix(strings.TrimSpace(string(b)), "gitdir: ")
		if !ok {
			return ""
		}
		git = rootRelative(dir, rest)
	}
	head, err := os.ReadFile(filepath.Join(git, "HEAD"))
	if err != nil {
		return ""
	}
	ref, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: ")
	if !ok {
		return asCommit(string(head))
	}
	homes := []string{git}
	if b, err := os.ReadFile(filepath.Join(git, "commondir")); err == nil {
		homes = append(homes, rootRelative(git, strings.TrimSpace(string(b))))
	}
	for _, home := range homes {
		if b, err := os.ReadFile(filepath.Join(home, filepath.FromSlash(ref))); err == nil {
			return asCommit(string(b))
		}
		packed, err := os.ReadFile(filepath.Join(home, "packed-refs"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(packed)) {
			if sum, name, _ := strings.Cut(strings.TrimSpace(line), " "); name == ref {
				return asCommit(sum)
			}
		}
	}
	return ""
}

// asCommit returns a commit's name, or "" for anything else.
func asCommit(s string) string {
	s = strings.TrimSpace(s)
	if len(s) != 40 && len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return ""
	}
	return s
}

// dirty asks git, where there is one, for uncommitted changes of tracked files.
func dirty(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "safe.directory="+dir, "-C", dir,
		"status", "--porcelain", "--untracked-files=no")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return err == nil && len(strings.TrimSpace(string(out))) > 0
}
