package main

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
)

func (a *app) dataCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "data",
		Short: "List built-in data sets, check one, or write one as files for another trainer",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			for _, name := range dataset.Builtins() {
				fmt.Fprintln(a.stdout, name)
			}
			return nil
		},
	}
	size := 0
	export := &cobra.Command{
		Use:   "export DATA DIR",
		Short: "Write a data set in the YOLO layout: PNG pictures, label files, data.yaml",
		Long: `Export writes a data set in the layout that YOLO trainers read, with absolute paths in data.yaml:
what the native trainer sees, every picture a square of --image-size pixels. DIR must not exist, or be empty.`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, given []string) error {
			d, err := dataset.Load(c.Context(), given[0], dataset.Options{Size: size})
			if err != nil {
				return err
			}
			path, err := exportYOLO(d, given[1])
			if err != nil {
				return fmt.Errorf("export %s: %w", given[0], err)
			}
			fmt.Fprintf(a.stdout, "wrote %s: %d train, %d val, %d test pictures\n", path, len(d.Train), len(d.Val), len(d.Test))
			return nil
		},
	}
	export.Flags().IntVar(&size, "image-size", 0, "side of the pictures in pixels (default: 128 for built-in data, 640 for others)")
	c.AddCommand(export, a.dataCheckCommand())
	return c
}

func (a *app) dataCheckCommand() *cobra.Command {
	size := 0
	c := &cobra.Command{
		Use:   "check DATA",
		Short: "Read a data set and list what is wrong or odd in it: pictures, labels, boxes",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			d, err := dataset.Load(c.Context(), given[0], dataset.Options{Size: size, Cache: -1})
			if errors.Is(err, trainer.ErrNoData) {
				return &codeError{exitUsage, err}
			}
			if err != nil {
				return err
			}
			for _, s := range splitsOf(d) {
				objects, outlined := 0, 0
				for _, m := range s.images {
					objects += len(m.Boxes)
					for _, o := range m.Outlines {
						outlined += min(1, len(o))
					}
				}
				fmt.Fprintf(a.stdout, "%s: %s with %s, %d of them outlined\n", s.name, count(len(s.images), "picture"), count(objects, "object"), outlined)
			}
			for _, note := range d.Notes {
				fmt.Fprintf(a.stdout, "note: %s\n", note)
			}
			return nil
		},
	}
	c.Flags().IntVar(&size, "image-size", 0, "side that pictures are read at, in pixels (default: 128 for built-in data, 640 for others)")
	return c
}

// split is one of a data set's.
type split struct {
	name   string
	images []dataset.Image
}

func splitsOf(d *dataset.Dataset) []split {
	return []split{{"train", d.Train}, {"val", d.Val}, {"test", d.Test}}
}

// exportYOLO writes the splits that have pictures, and returns the path of data.yaml.
func exportYOLO(d *dataset.Dataset, dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if old, err := os.ReadDir(dir); err == nil && len(old) > 0 {
		return "", usagef("%s is not empty: name a new folder", dir)
	}
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "path: %q\n", dir)
	for _, s := range splitsOf(d) {
		if len(s.images) == 0 {
			continue
		}
		fmt.Fprintf(&yaml, "%s: images/%s\n", s.name, s.name)
		images, labels := filepath.Join(dir, "images", s.name), filepath.Join(dir, "labels", s.name)
		if err := errors.Join(os.MkdirAll(images, 0o777), os.MkdirAll(labels, 0o777)); err != nil {
			return "", err
		}
		for i, m := range s.images {
			name := fmt.Sprintf("%05d", i)
			if err := errors.Join(writePNG(filepath.Join(images, name+".png"), m), os.WriteFile(filepath.Join(labels, name+".txt"), []byte(labelRows(m)), 0o666)); err != nil {
				return "", err
			}
		}
	}
	yaml.WriteString("names:\n")
	for i, n := range d.Classes {
		fmt.Fprintf(&yaml, "  %d: %q\n", i, n)
	}
	path := filepath.Join(dir, "data.yaml")
	return path, os.WriteFile(path, []byte(yaml.String()), 0o666)
}

// labelRows are the boxes as "class cx cy w h", in fractions of the picture. Crowds are left out: the format has none.
func labelRows(m dataset.Image) string {
	var rows strings.Builder
	for _, b := range m.Boxes {
		if b.Crowd {
			continue
		}
		w, h := float64(m.W), float64(m.H)
		fmt.Fprintf(&rows, "%d %.6f %.6f %.6f %.6f\n", b.Class, float64(b.X0+b.X1)/2/w, float64(b.Y0+b.Y1)/2/h, float64(b.X1-b.X0)/w, float64(b.Y1-b.Y0)/h)
	}
	return rows.String()
}

func writePNG(path string, m dataset.Image) error {
	pix, err := m.Pixels()
	if err != nil {
		return err
	}
	im := image.NewNRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		copy(im.Pix[4*i:], pix[3*i:3*i+3])
		im.Pix[4*i+3] = 255
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, im), f.Close())
}
