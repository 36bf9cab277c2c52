package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Checkpoint is a file that the program goes on from, for programs that do not name one in their metrics.
type Checkpoint struct {
	File   string   // a template; relative to the trial's directory
	Resume []string // command that goes on from {resume}, a template; nil: the ordinary one
}

// keptName is the folder of the copies in a trial's directory: KEPT/EPOCH/FILE.
const keptName = "checkpoints"

const (
	settled  = 200 * time.Millisecond // a file that has not changed for so long is taken for whole
	lastWait = time.Second            // how long a program that is to be stopped may take to save what it has just measured
)

// keeper copies the program's checkpoint to where the program does not write, so that it cannot be lost half written
// when the program is killed. The file belongs to the last epoch that was measured before it was written.
type keeper struct {
	file, dir string // the program's, and the trial's directory
	epochs    int    // of the trial, 0 if that is not known

	epoch   int         // that was measured last
	since   time.Time   // when that was written
	kept    int         // epoch of the last copy
	seen    fs.FileInfo // how the file was
	stands  time.Time   // since when it has been like that
	quietTo time.Time   // no copy before this: copying is to cost a tenth of the time at most
}

// begin forgets the copies of an earlier run that is not continued, or puts the copy that the run goes on from back to
// where the program had it.
func (k *keeper) begin(resume string) error {
	if resume == "" {
		return os.RemoveAll(filepath.Join(k.dir, keptName))
	}
	if resume == k.file {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(k.file), 0o777); err != nil {
		return err
	}
	part := k.file + ".part"
	if err := copyFile(resume, part); err != nil {
		return err
	}
	return os.Rename(part, k.file)
}

// measured says that an epoch was reported that was written at that time.
func (k *keeper) measured(epoch int, at time.Time) { k.epoch, k.since = epoch, at }

// waiting says that the checkpoint of the last epoch is not safe yet. That of the final epoch is the program's result
// and nothing to go on from.
func (k *keeper) waiting() bool {
	return k.epoch > 0 && k.kept != k.epoch && (k.epochs == 0 || k.epoch < k.epochs)
}

// look copies the checkpoint if it is that of the last epoch, and whole. With hurry it does not spare the disk.
func (k *keeper) look(hurry bool) error {
	now := time.Now()
	if !k.waiting() || now.Before(k.quietTo) && !hurry {
		return nil
	}
	st, err := os.Stat(k.file)
	if err != nil || !st.Mode().IsRegular() || st.Size() == 0 || st.ModTime().Before(k.since) {
		return nil // not written yet
	}
	if !same(k.seen, st) {
		k.seen, k.stands = st, now
		return nil
	}
	if now.Sub(k.stands) < settled {
		return nil
	}
	if err := k.copy(st); err != nil {
		return fmt.Errorf("keep checkpoint of epoch %d: %w", k.epoch, err)
	}
	k.quietTo = time.Now().Add(10 * time.Since(now))
	return nil
}

// copy makes the copy of the last epoch and then removes the one before. A file that was written meanwhile makes none.
func (k *keeper) copy(st fs.FileInfo) error {
	top := filepath.Join(k.dir, keptName)
	part, place := filepath.Join(top, "part"), filepath.Join(top, strconv.Itoa(k.epoch))
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(part, 0o777)); err != nil {
		return err
	}
	if err := copyFile(k.file, filepath.Join(part, filepath.Base(k.file))); err != nil {
		return err
	}
	if now, err := os.Stat(k.file); err != nil || !same(st, now) {
		k.seen = nil
		return nil
	}
	if err := errors.Join(os.RemoveAll(place), os.Rename(part, place)); err != nil {
		return err
	}
	k.kept = k.epoch
	for _, epoch := range copies(k.dir) {
		if epoch != k.epoch {
			if err := os.RemoveAll(filepath.Join(top, strconv.Itoa(epoch))); err != nil {
				return err
			}
		}
	}
	return nil
}

func same(a, b fs.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// copyFile copies a file and has it on the disk before it returns.
func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Sync(), dst.Close())
}

// copies lists the epochs of which a trial's directory has copies.
func copies(dir string) []int {
	entries, err := os.ReadDir(filepath.Join(dir, keptName))
	if err != nil {
		return nil
	}
	var epochs []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 {
			epochs = append(epochs, n)
		}
	}
	return epochs
}

// latestKept finds the copy of the latest epoch.
func latestKept(dir string) (path string, epoch int) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", 0
	}
	for _, n := range copies(abs) {
		folder := filepath.Join(abs, keptName, strconv.Itoa(n))
		files, err := os.ReadDir(folder)
		if err != nil || len(files) != 1 || n < epoch {
			continue
		}
		path, epoch = filepath.Join(folder, files[0].Name()), n
	}
	return path, epoch
}
