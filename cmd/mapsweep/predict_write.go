package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/trainer/dataset"
)

// predictWriter writes what was found in pictures, one after the other. write may set the picture's own error.
type predictWriter interface {
	write(i int, s *shot) error
	close() error
}

func (a *app) newPredictWriter(shots []shot, classes []string, o predictOptions) (predictWriter, error) {
	if o.format == "yolo" {
		return yoloWriter{o}, nil
	}
	s := &stream{w: bufio.NewWriter(a.stdout)}
	ids := cocoIDs{}
	if o.format == "coco" {
		var err error
		if ids, err = newCOCOIDs(shots, classes, o.annotations); err != nil {
			return nil, err
		}
	}
	if o.to != "" {
		if err := os.MkdirAll(filepath.Dir(o.to), 0o777); err != nil {
			return nil, fmt.Errorf("write detections: %w", err)
		}
		f, err := os.Create(o.to)
		if err != nil {
			return nil, fmt.Errorf("write detections: %w", err)
		}
		s.w, s.file = bufio.NewWriter(f), f
	}
	if o.format == "coco" {
		return &cocoWriter{stream: s, ids: ids}, nil
	}
	return &lineWriter{stream: s, classes: classes}, nil
}

// stream is a file, or standard output without one.
type stream struct {
	w    *bufio.Writer
	file io.Closer
}

func (s *stream) close() error {
	err := s.w.Flush()
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return err
}

// lineWriter writes a line of JSON for each picture.
type lineWriter struct {
	*stream
	classes []string
}

// predictedImage is a line of predict.
type predictedImage struct {
	Image      string            `json:"image"`
	Width      int               `json:"width"`
	Height     int               `json:"height"`
	Detections []predictedObject `json:"detections"`
}

type predictedObject struct {
	Class int        `json:"class"`
	Name  string     `json:"name"`
	Score float32    `json:"score"`
	Box   [4]float32 `json:"box"` // x0, y0, x1, y1 in pixels
}

func (l *lineWriter) write(_ int, s *shot) error {
	line := predictedImage{Image: s.file, Width: s.w, Height: s.h, Detections: []predictedObject{}}
	for _, f := range s.found {
		line.Detections = append(line.Detections, predictedObject{f.class, l.classes[f.class], f.score, [4]float32{float32(f.x0), float32(f.y0), float32(f.x1), float32(f.y1)}})
	}
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err = l.w.Write(append(b, '\n')); err != nil {
		return err
	}
	return l.w.Flush() // a reader in a pipe goes on
}

// yoloWriter writes a label file for each picture, also for one without objects.
type yoloWriter struct{ o predictOptions }

func (y yoloWriter) write(_ int, s *shot) error {
	var b strings.Builder
	w, h := float64(s.w), float64(s.h)
	for _, f := range s.found {
		fmt.Fprintf(&b, "%d %.6f %.6f %.6f %.6f %.6f\n", f.class, (f.x0+f.x1)/2/w, (f.y0+f.y1)/2/h, (f.x1-f.x0)/w, (f.y1-f.y0)/h, f.score)
	}
	path := y.o.path(y.o.to, s.name, ".txt")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o666)
}

func (yoloWriter) close() error { return nil }

// cocoWriter writes COCO's results file.
type cocoWriter struct {
	*stream
	ids   cocoIDs
	begun bool
}

// cocoObject is an entry of it. Readers pass over the file name.
type cocoObject struct {
	ImageID  int64      `json:"image_id"`
	FileName string     `json:"file_name"`
	Category int64      `json:"category_id"`
	Box      [4]float32 `json:"bbox"` // x, y, width, height
	Score    float32    `json:"score"`
}

func (c *cocoWriter) write(i int, s *shot) error {
	id, ok := c.ids.image(i, s)
	if !ok {
		s.err = fmt.Errorf("the annotations have no image of this name")
		return nil
	}
	for _, f := range s.found {
		b, err := json.Marshal(cocoObject{id, filepath.ToSlash(s.name), c.ids.categories[f.class],
			[4]float32{float32(f.x0), float32(f.y0), float32(f.x1 - f.x0), float32(f.y1 - f.y0)}, f.score})
		if err != nil {
			return err
		}
		before := "[\n"
		if c.begun {
			before = ",\n"
		}
		c.begun = true
		if _, err := c.w.WriteString(before + string(b)); err != nil {
			return err
		}
	}
	return nil
}

func (c *cocoWriter) close() error {
	end := "\n]\n"
	if !c.begun {
		end = "[]\n"
	}
	_, err := c.w.WriteString(end)
	return errors.Join(err, c.stream.close())
}

// cocoIDs are the ids that COCO's results name images and categories by.
type cocoIDs struct {
	images     map[string]int64 // by file name; nil: by numbers
	numbers    []int64          // by picture
	categories []int64          // by class
}

func newCOCOIDs(shots []shot, classes []string, annotations string) (cocoIDs, error) {
	ids := cocoIDs{}
	if annotations != "" {
		return readCOCOIDs(classes, annotations)
	}
	seen := map[int64]bool{}
	for i, s := range shots {
		base := filepath.Base(s.name)
		n, err := strconv.ParseInt(strings.TrimSuffix(base, filepath.Ext(base)), 10, 64)
		if err != nil || seen[n] {
			ids.numbers = nil
			break
		}
		seen[n] = true
		ids.numbers = append(ids.numbers[:i], n)
	}
	for k := range classes {
		ids.categories = append(ids.categories, int64(k)+1)
	}
	return ids, nil
}

// readCOCOIDs takes the ids from COCO's annotation file.
func readCOCOIDs(classes []string, path string) (cocoIDs, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return cocoIDs{}, fmt.Errorf("read annotations: %w", err)
	}
	var in struct {
		Images []struct {
			ID   int64
			Name string `json:"file_name"`
		}
		Categories []struct {
			ID   int64
			Name string
		}
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return cocoIDs{}, fmt.Errorf("read annotations %s: %w", path, err)
	}
	ids := cocoIDs{images: map[string]int64{}}
	for _, m := range in.Images {
		ids.images[filepath.Base(m.Name)] = m.ID
	}
	by := map[string]int64{}
	for _, c := range in.Categories {
		by[c.Name] = c.ID
	}
	for _, name := range classes {
		id, ok := by[name]
		if !ok {
			return ids, usagef("annotations %s have no category %q, which the detector knows", path, name)
		}
		ids.categories = append(ids.categories, id)
	}
	return ids, nil
}

func (c cocoIDs) image(i int, s *shot) (id int64, ok bool) {
	switch {
	case c.images != nil:
		id, ok = c.images[filepath.Base(s.name)]
		return id, ok
	case c.numbers != nil:
		return c.numbers[i], true
	}
	return int64(i) + 1, true
}

// drawPicture writes a picture with what was found in it.
func drawPicture(path string, p dataset.Picture, found []spotted, classes []string) error {
	m := image.NewRGBA(image.Rect(0, 0, p.W, p.H))
	for i := range p.W * p.H {
		copy(m.Pix[4*i:], p.Pix[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	var marked []charts.Marked
	for _, f := range found {
		marked = append(marked, charts.Marked{X0: f.x0, Y0: f.y0, X1: f.x1, Y1: f.y1, Class: f.class, Label: fmt.Sprintf("%s %.2f", classes[f.class], f.score)})
	}
	if err := charts.DrawBoxes(m, marked); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join((&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, m), f.Close())
}
