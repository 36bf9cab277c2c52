package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// A checkpoint of PyTorch (1.6 and later) is a zip archive without compression: PREFIX/data.pkl, a pickle of objects,
// and PREFIX/data/KEY, the bytes of each storage that the pickle refers to. A pickle is a program for a small stack
// machine, which in Python may call anything. Here it is checked before it runs (scan.go), knows a fixed list of
// names, which all make inert records (objects.go), and can ask for no more memory than the file has bytes.
const (
	maxPickle  = 64 << 20
	maxEntries = 1 << 16
)

// DecodePyTorch reads a whole .pt file and returns the tensors by the names of the model's state dict. The content may
// be a state dict, a module, or a dictionary with one of these under "ema", "model" or "state_dict", in this order:
// the official trainers keep the average of the weights, which is what they evaluate, under "ema". Half precision is
// widened. Buffers that PyTorch does not keep in a state dict are left out.
func DecodePyTorch(data []byte) (*Set, error) {
	a, err := openArchive(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrFormat)
	}
	program, err := a.read("data.pkl")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrFormat)
	}
	root, err := unpickle(program, a)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w: %w", err, ErrFormat)
	}
	s, err := stateOf(root, int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrFormat)
	}
	return s, nil
}

// archive is a checked zip archive.
type archive struct {
	data   []byte
	files  map[string]*zip.File // without the prefix
	loaded map[string]*storage
}

func openArchive(data []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("%d files in the archive", len(z.File))
	}
	prefix := ""
	for _, f := range z.File {
		if p, ok := strings.CutSuffix(f.Name, "data.pkl"); ok && strings.Count(f.Name, "/") <= 1 {
			prefix = p
		}
	}
	a := &archive{data: data, files: map[string]*zip.File{}, loaded: map[string]*storage{}}
	for _, f := range z.File {
		name, ok := strings.CutPrefix(f.Name, prefix)
		switch {
		case !ok:
			continue
		case a.files[name] != nil:
			return nil, fmt.Errorf("%s stands twice in the archive", f.Name)
		case f.Method != zip.Store || f.UncompressedSize64 > uint64(len(data)):
			return nil, fmt.Errorf("%s in the archive is compressed, or larger than the file", f.Name)
		}
		a.files[name] = f
	}
	if a.files["data.pkl"] == nil {
		return nil, fmt.Errorf("no data.pkl in the archive: only files of torch.save of version 1.6 and later are read")
	}
	if a.files["constants.pkl"] != nil {
		return nil, fmt.Errorf("the archive is a TorchScript program, and not a checkpoint")
	}
	return a, a.checkOrder()
}

// checkOrder refuses values that a big-endian machine has written.
func (a *archive) checkOrder() error {
	if a.files["byteorder"] == nil {
		return nil
	}
	order, err := a.read("byteorder")
	if err == nil && string(order) != "little" {
		err = fmt.Errorf("byte order %q: only little is read", order)
	}
	return err
}

func (a *archive) read(name string) ([]byte, error) {
	f := a.files[name]
	if f == nil {
		return nil, fmt.Errorf("no %s in the archive", name)
	}
	if strings.HasSuffix(name, ".pkl") && f.UncompressedSize64 > maxPickle {
		return nil, fmt.Errorf("%s has %d bytes", name, f.UncompressedSize64)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s in the archive: %w", name, err)
	}
	raw, err := io.ReadAll(r)
	if e := r.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, fmt.Errorf("%s in the archive: %w", name, err)
	}
	return raw, nil
}

// storage is the memory that one or more tensors look into.
type storage struct {
	kind string // PyTorch's name without "Storage"
	raw  []byte
}

// storage returns the storage of a key, read once.
func (a *archive) storage(kind, key string, elements int) (*storage, error) {
	if s := a.loaded[key]; s != nil {
		if s.kind != kind {
			return nil, fmt.Errorf("storage %s is both %s and %s", key, s.kind, kind)
		}
		return s, nil
	}
	raw, err := a.read("data/" + key)
	if err != nil {
		return nil, err
	}
	if w := kinds[kind]; elements < 0 || w == 0 || len(raw)/w != elements || len(raw)%w != 0 {
		return nil, fmt.Errorf("storage %s: %d bytes for %d of %s", key, len(raw), elements, kind)
	}
	s := &storage{kind: kind, raw: raw}
	a.loaded[key] = s
	return s, nil
}
