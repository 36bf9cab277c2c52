package native

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// A checkpoint is one file:
//
//	magic      16 bytes "mapsweep ckpt 1\n"
//	length      8 bytes, little-endian: bytes of the header
//	header     JSON, see header
//	numbers    float32, little-endian: the tensors in the header's order, one after the other
//	checksum   32 bytes: SHA-256 over everything before it
//
// Tensors stand in logical order (OIHW for convolutions), so that a file does not
// depend on the processor or on the layout of the kernels. It is written beside its
// place, synced and renamed: whoever reads the final name reads a whole file.
const (
	magic         = "mapsweep ckpt 1\n"
	formatVersion = 1
	// lastName and bestName are the files of a trial's directory.
	lastName = "last.ckpt"
	bestName = "best.ckpt"
	// maxHeader bounds what a damaged length can make us read.
	maxHeader = 64 << 20
	// maxElements bounds a tensor; its square fits an int.
	maxElements = 1 << 31
)

// errNotCheckpoint is returned for a file that is damaged, cut off or something else.
var errNotCheckpoint = errors.New("not a usable checkpoint")

// Parts of a training state that a tensor can belong to.
const (
	partWeights  = "weights"  // parameters, and running statistics of batch normalisation
	partMomentum = "momentum" // of SGD, or the average of gradients of the others; parameters only, as the next three
	partSquare   = "square"   // average of squared gradients of Adam and AdamW
	partPeak     = "peak"     // the largest of those so far, with amsgrad
	partSum      = "sum"      // of gradients of the batches since weights moved, where they are summed
	partAverage  = "average"  // exponential moving average of weights and statistics
)

// tensorInfo is one tensor of a file.
type tensorInfo struct {
	Part  string `json:"part"`
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// elements is the number of values, or -1 for a shape that no file can hold.
func (t tensorInfo) elements() int {
	n := 1
	for _, d := range t.Shape {
		if d < 0 || d > maxElements || n*d > maxElements {
			return -1
		}
		n *= d
	}
	return n
}

// header is everything of a training state that is not a tensor.
type header struct {
	Version   int           `json:"version"`
	Config    string        `json:"config"` // hash of all that must be equal to go on
	ISA       string        `json:"instruction_set"`
	Device    string        `json:"device,omitempty"`      // kind of GPU that it was trained on; "": the CPU
	Precision string        `json:"precision,omitempty"`   // of training; "": fp32, in files of earlier versions
	Form      string        `json:"convolution,omitempty"` // of Config.Convolution; "": files of earlier versions
	Choice    *convolutions `json:"choice,omitempty"`      // who computes convolutions, with convolution "fastest" on a GPU
	Model     string        `json:"model"`
	File      string        `json:"model_file,omitempty"` // of a model that is not built in
	Classes   []string      `json:"classes"`
	Size      int           `json:"image_size"`
	Batch     int           `json:"batch,omitempty"`   // images that were scored together; 0: files of earlier versions
	Epoch     int           `json:"epoch"`             // epochs finished and reported
	Step      int           `json:"step"`              // steps done, of the whole run
	Updates   int           `json:"updates,omitempty"` // of weights, where gradients are summed over batches; else one a step
	Pending   int           `json:"pending,omitempty"` // batches since the last of them
	Sums      [3]float64    `json:"loss_sum"`          // box, class, dfl over the steps of the unfinished epoch
	Best      *best         `json:"best,omitempty"`
	Curves    []curve       `json:"curves"` // metrics of the finished epochs
	Tensors   []tensorInfo  `json:"tensors"`
}

// architecture is the model file that the network was built from.
func (h header) architecture() (*spec.File, error) {
	if h.File != "" {
		return spec.Parse(h.Model, []byte(h.File))
	}
	return spec.Open(h.Model)
}

// curve is what one finished epoch measured.
type curve struct {
	Epoch   int                `json:"epoch"`
	Metrics map[string]float64 `json:"metrics"`
}

// best is the best epoch so far by the backend's BestMetric.
type best struct {
	Epoch int     `json:"epoch"`
	Value float64 `json:"value"`
}

// writeCheckpoint writes path in one step that either happens or does not.
func writeCheckpoint(path string, h header, tensors [][]float32) error {
	data, err := encodeCheckpoint(h, tensors)
	if err == nil {
		err = weights.WriteFile(path, data)
	}
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

func encodeCheckpoint(h header, tensors [][]float32) ([]byte, error) {
	h.Version = formatVersion
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	floats := 0
	for i, t := range tensors {
		if len(t) != h.Tensors[i].elements() {
			return nil, fmt.Errorf("tensor %s has %d values for shape %v", h.Tensors[i].Name, len(t), h.Tensors[i].Shape)
		}
		floats += len(t)
	}
	data := make([]byte, 0, len(magic)+8+len(head)+4*floats+sha256.Size)
	data = append(data, magic...)
	data = binary.LittleEndian.AppendUint64(data, uint64(len(head)))
	data = append(data, head...)
	for _, t := range tensors {
		for _, v := range t {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	sum := sha256.Sum256(data)
	return append(data, sum[:]...), nil
}

// readCheckpoint reads and verifies a file. Damage of any kind is errNotCheckpoint.
func readCheckpoint(path string) (header, [][]float32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return header{}, nil, fmt.Errorf("read checkpoint: %w", err)
	}
	h, tensors, err := decodeCheckpoint(data)
	if err != nil {
		return header{}, nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	return h, tensors, nil
}

func decodeCheckpoint(data []byte) (header, [][]float32, error) {
	body := int64(len(data) - sha256.Size)
	if err := checkCheckpoint(bytes.NewReader(data), body); err != nil {
		return header{}, nil, err
	}
	return decodeBody(bytes.NewReader(data[len(magic):body]), body-int64(len(magic)), nil)
}

// Latest finds the checkpoint of a trial's directory that is furthest on, passing over
// damaged files, and says how many epochs it has finished; "" and 0 if there is none.
func (b *Backend) Latest(dir string) (path string, epoch int) {
	step := -1
	for _, name := range []string{lastName, bestName} {
		p := filepath.Join(dir, name)
		h, _, err := readCheckpoint(p)
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				b.log.Warn("checkpoint passed over", "path", p, "error", err)
			}
			continue
		}
		if h.Step > step {
			path, epoch, step = p, h.Epoch, h.Step
		}
	}
	return path, epoch
}

// CanResume implements trainer.ResumeChecker: kernels of another set, or another kind of device, round differently, and a
// run that went on with them would be neither's. A trial may be given any of the study's GPUs.
func (b *Backend) CanResume(path string) error {
	h, _, err := readCheckpoint(path)
	if err != nil {
		return err
	}
	p, err := b.place()
	if err != nil {
		return err
	}
	if len(p.GPUs) == 0 {
		return h.sameSet(device{})
	}
	for i := range p.GPUs {
		d := device{gpu: &p.GPUs[i]}
		if n := b.cfg.GPUs; n > 1 {
			d.others = make([]GPU, n-1)
		}
		if err := h.sameSet(d); err != nil {
			return err
		}
		if h.Choice == nil {
			continue
		}
		l, why := b.choices.open()
		if err := h.Choice.fits(p.GPUs[i].Device.Name, l, why); err != nil {
			return err
		}
	}
	return nil
}

// sameSet says why a run on a device, with the kernels in use, cannot go on from a checkpoint, or nil.
func (h header) sameSet(d device) error {
	if here := d.arithmetic(); h.Device != here {
		return fmt.Errorf("it was made on device %q and this is %q (trainer.device or --device chooses)", cmp.Or(h.Device, CPU), cmp.Or(here, CPU))
	}
	if here := kernels.ISA(); d.gpu == nil && h.ISA != here {
		return fmt.Errorf("it was made with the instruction set %q and this is %q (MAPSWEEP_ISA chooses another)", h.ISA, here)
	}
	return nil
}
