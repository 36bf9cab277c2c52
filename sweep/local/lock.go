package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// EnvRuntimeDir names another folder for the lock files.
const EnvRuntimeDir = "MAPSWEEP_RUNTIME_DIR"

// RuntimeDir makes the folder in which the mapsweep processes of one user keep off each other's devices. It is
// not XDG_RUNTIME_DIR: that one vanishes, with the locks, when the user logs out, and trainings go on overnight.
func RuntimeDir() (string, error) {
	dir := os.Getenv(EnvRuntimeDir)
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "mapsweep-"+strconv.Itoa(os.Getuid()))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make folder of device locks: %w; name another with %s", err, EnvRuntimeDir)
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("look at folder of device locks: %w", err)
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); !st.IsDir() || ok && int(sys.Uid) != os.Getuid() {
		return "", fmt.Errorf("folder of device locks %s belongs to someone else; name another with %s", dir, EnvRuntimeDir)
	}
	return dir, nil
}

// locks are named locks. With a folder they are files under flock(2), which the kernel gives up when their holder
// dies, however it dies; every take is a lock of its own, within one process as between several. Without a folder
// they live in this process alone.
type locks struct {
	dir string

	mu   sync.Mutex
	held map[string]*entry // without a folder
}

// open keeps the files of held locks: one that nobody refers to would be closed, and its lock with it.
var open sync.Map

// entry is a lock that only this process knows.
type entry struct {
	shared int // holders, -1: one that does not share
	note   []byte
}

// lock is one that is held.
type lock struct {
	l      *locks
	name   string
	file   *os.File
	shared bool
	once   sync.Once
}

// errHeld: somebody else has it.
var errHeld = errors.New("lock is held")

func newLocks(dir string) *locks { return &locks{dir: dir, held: map[string]*entry{}} }

// try takes a lock at once or returns errHeld.
func (l *locks) try(name string, shared bool) (*lock, error) {
	if l.dir == "" {
		return l.tryHere(name, shared)
	}
	path := filepath.Join(l.dir, name)
	for range 10 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open lock: %w", err)
		}
		how := syscall.LOCK_EX
		if shared {
			how = syscall.LOCK_SH
		}
		if err := flock(f, how|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, errHeld
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if same(f, path) {
			k := &lock{l: l, name: name, file: f, shared: shared}
			open.Store(k, true)
			return k, nil
		}
		f.Close() // someone cleared the folder meanwhile: what we hold, nobody else would see
	}
	return nil, fmt.Errorf("lock %s: the file vanishes again and again", path)
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// same says whether a file still stands under its name.
func same(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

func (l *locks) tryHere(name string, shared bool) (*lock, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[name]
	if h == nil {
		h = &entry{}
		l.held[name] = h
	}
	switch {
	case h.shared < 0, h.shared > 0 && !shared:
		return nil, errHeld
	case shared:
		h.shared++
	default:
		h.shared = -1
	}
	return &lock{l: l, name: name, shared: shared}, nil
}

// read returns what the holder of a lock, or the last one, wrote down.
func (l *locks) read(name string) []byte {
	if l.dir == "" {
		l.mu.Lock()
		defer l.mu.Unlock()
		if h := l.held[name]; h != nil {
			return h.note
		}
		return nil
	}
	b, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		return nil
	}
	return b
}

// exists says whether a lock was ever taken.
func (l *locks) exists(name string) bool {
	if l.dir == "" {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.held[name] != nil
	}
	_, err := os.Stat(filepath.Join(l.dir, name))
	return err == nil
}

// write notes something beside the lock; nothing clears it.
func (k *lock) write(note []byte) error {
	if k.file == nil {
		k.l.mu.Lock()
		defer k.l.mu.Unlock()
		k.l.held[k.name].note = note
		return nil
	}
	if err := k.file.Truncate(0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if _, err := k.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if _, err := k.file.Write(note); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

// release gives the lock back; calling it again does nothing.
func (k *lock) release() {
	k.once.Do(func() {
		if k.file != nil {
			open.Delete(k)
			k.file.Close() // and with it the lock
			return
		}
		k.l.mu.Lock()
		defer k.l.mu.Unlock()
		if h := k.l.held[k.name]; k.shared {
			h.shared--
		} else {
			h.shared = 0
		}
	})
}
