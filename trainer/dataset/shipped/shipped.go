package shipped

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/csv"
	"fmt"
	"image"
	"image/jpeg"
	"strconv"
)

//go:embed data/*.jpg data/*.csv data/*.gz
var files embed.FS

// Names of the pictures.
const (
	// Big is the 2299x2472 picture; tiles and backgrounds are cut from it.
	Big = "yell-528000"
	// Side is the 1249x1035 picture of another, hazier place.
	Side = "yell-541000"
	// Small is the 400x400 picture of a third place.
	Small = "osbs-029"
)

// Picture decodes the named picture.
func Picture(name string) (image.Image, error) {
	b, err := files.ReadFile("data/" + name + ".jpg")
	if err != nil {
		return nil, fmt.Errorf("read embedded picture %q: %w", name, err)
	}
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("decode embedded picture %q: %w", name, err)
	}
	return m, nil
}

// Crowns returns the tree crowns of the named picture: x0, y0, x1, y1 in pixels, exclusive right and lower edges.
func Crowns(name string) ([][4]float32, error) {
	b, err := files.ReadFile("data/trees.csv")
	if err != nil {
		return nil, fmt.Errorf("read embedded boxes: %w", err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read embedded boxes: %w", err)
	}
	var boxes [][4]float32
	for _, row := range rows[1:] {
		if row[0] != name {
			continue
		}
		var box [4]float32
		for i := range box {
			v, err := strconv.ParseFloat(row[1+i], 32)
			if err != nil {
				return nil, fmt.Errorf("read embedded boxes: %w", err)
			}
			box[i] = float32(v)
		}
		boxes = append(boxes, box)
	}
	if len(boxes) == 0 {
		return nil, fmt.Errorf("read embedded boxes: no picture named %q", name)
	}
	return boxes, nil
}

// Digit is one handwritten digit: 8 rows of 8 pixels, ink 0 (none) to 16 (full).
type Digit struct {
	Class int // 0..9
	Ink   [64]uint8
}

// Digits returns the 1,797 handwritten digits in the order of their source.
func Digits() ([]Digit, error) {
	b, err := files.ReadFile("data/digits.csv.gz")
	if err != nil {
		return nil, fmt.Errorf("read embedded digits: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("unpack embedded digits: %w", err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read embedded digits: %w", err)
	}
	digits := make([]Digit, len(rows))
	for i, row := range rows {
		if len(row) != 65 {
			return nil, fmt.Errorf("read embedded digits: line %d has %d values, not 65", i+1, len(row))
		}
		for j, s := range row {
			v, err := strconv.ParseFloat(s, 32)
			if err != nil {
				return nil, fmt.Errorf("read embedded digits: line %d: %w", i+1, err)
			}
			if j < 64 {
				digits[i].Ink[j] = uint8(v)
			} else {
				digits[i].Class = int(v)
			}
		}
	}
	return digits, nil
}
