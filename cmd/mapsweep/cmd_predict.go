package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
)

// predictOptions are what predict writes, and where.
type predictOptions struct {
	detectOptions
	format, to, draw, annotations string
}

func (a *app) predictCommand() *cobra.Command {
	o := predictOptions{detectOptions: detectOptions{conf: .25, iou: .45, most: 300}}
	asJSON := false
	c := &cobra.Command{
		Use:   "predict WEIGHTS PICTURE|FOLDER...",
		Short: "Find objects in pictures: JSON lines, YOLO labels, COCO results, drawn pictures",
		Long: `Predict finds objects in pictures, and in all pictures of folders and the folders below them (.jpg, .png, .bmp,
.tif, .webp), in the order of their names. Pictures are fitted into the network's square with their shape kept;
boxes are in pixels of the picture itself, upright as its EXIF orientation has it.

` + weightsHelp + `
` + filesHelp + `
Formats:
  json   a line for each picture: image, width, height, detections with class (from 0), name, score and box (x0, y0, x1, y1)
  yolo   a file NAME.txt for each picture in the folder --to: class cx cy w h score, in fractions of the picture
  coco   one list of image_id, category_id, bbox and score. Ids are those of --annotations, by file name and class name;
         without it image_id is the number that is the file's name, or else its place from 1, and category_id the class from 1

A picture that cannot be read is named and skipped; the exit code is then 3.`,
		Args: args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, given []string) error {
			if asJSON && c.Flags().Changed("format") && o.format != "json" {
				return usagef("--json and --format %s contradict each other", o.format)
			}
			if err := errors.Join(o.check(c), o.checkOutput()); err != nil {
				return err
			}
			pictures, err := listPictures(given[1:])
			if err != nil {
				return err
			}
			w, err := a.findWeights(c.Context(), given[0])
			if err != nil {
				return err
			}
			return a.predict(c.Context(), w, pictures, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "json", "json, yolo or coco")
	f.StringVar(&o.to, "to", "", "file for json or coco (default: standard output), folder for yolo")
	f.StringVar(&o.draw, "draw", "", "folder for pictures with boxes, classes and confidences drawn in, as PNG")
	f.StringVar(&o.annotations, "annotations", "", "COCO annotations whose ids the format coco takes")
	f.BoolVar(&asJSON, "json", false, "the same as --format json")
	o.add(c, "", "", "")
	return c
}

func (o *predictOptions) checkOutput() error {
	switch {
	case o.format != "json" && o.format != "yolo" && o.format != "coco":
		return usagef("--format %s: want json, yolo or coco", o.format)
	case o.format == "yolo" && o.to == "":
		return usagef("--format yolo writes a file for each picture: name a folder with --to")
	case o.annotations != "" && o.format != "coco":
		return usagef("--annotations is of use with --format coco only")
	}
	return nil
}

// shot is a picture to be looked at, and what was found.
type shot struct {
	file  string
	name  string // below the folder that was given, or the file's own; for files that are written
	w, h  int
	found []spotted
	err   error
}

// spotted is an object in pixels of its picture.
type spotted struct {
	class          int
	score          float32
	x0, y0, x1, y1 float64
}

// listPictures lists files as they are given and the pictures below folders, sorted by path within each.
func listPictures(paths []string) ([]shot, error) {
	var all []shot
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, usagef("read pictures: %w", err)
		}
		if !info.IsDir() {
			all = append(all, shot{file: p, name: filepath.Base(p)})
			continue
		}
		n := len(all)
		err = filepath.WalkDir(p, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && dataset.IsPicture(path) {
				rel, _ := filepath.Rel(p, path) // path begins with p
				all = append(all, shot{file: path, name: rel})
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read pictures: %w", err)
		}
		if len(all) == n {
			return nil, usagef("there is no picture in %s", p)
		}
	}
	return all, nil
}

// predict looks at all pictures, writes what it found in their order, and names those that could not be read.
func (a *app) predict(ctx context.Context, w weights, shots []shot, o predictOptions) error {
	if err := o.checkNames(shots); err != nil {
		return err
	}
	d, end, err := a.openDetector(ctx, o.detectOptions, w.path)
	if err != nil {
		return err
	}
	defer end()
	if !d.Named {
		fmt.Fprintf(a.notes, "%s does not name its classes: they go by their numbers here; --names gives names\n", d.Path)
	}
	out, err := a.newPredictWriter(shots, d.Classes, o)
	if err != nil {
		return err
	}
	size := groupSize(d)
	done := make([]chan struct{}, (len(shots)+size-1)/size)
	for i := range done {
		done[i] = make(chan struct{})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	finished := make(chan struct{})
	var lookErr error
	go func() {
		defer close(finished)
		lookErr = inGroups(ctx, d, len(shots), o.threads, func(ctx context.Context, d *native.Detector, from, to int) error {
			if err := o.look(ctx, d, shots[from:to]); err != nil {
				return err
			}
			close(done[from/size])
			return nil
		})
	}()
	skipped, writeErr := 0, error(nil)
	for g, seen := range done {
		if writeErr != nil || !waitEither(seen, finished) {
			break
		}
		n := 0
		n, writeErr = a.writeShots(out, shots[:min((g+1)*size, len(shots))], g*size)
		skipped += n
	}
	if writeErr != nil {
		cancel()
	}
	<-finished
	if writeErr == nil {
		writeErr = lookErr
	}
	if err := errors.Join(writeErr, out.close()); err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	if skipped > 0 {
		return &codeError{exitTrials, fmt.Errorf("%d of %d pictures could not be read", skipped, len(shots))}
	}
	return nil
}

// waitEither waits until one of the two is closed, and says whether the first is.
func waitEither(a, b <-chan struct{}) bool {
	select {
	case <-a:
		return true
	case <-b:
	}
	select {
	case <-a:
		return true
	default:
		return false
	}
}

// writeShots writes those from the given one on, and counts those that were skipped.
func (a *app) writeShots(out predictWriter, shots []shot, from int) (skipped int, err error) {
	for i := from; i < len(shots); i++ {
		s := &shots[i]
		if s.err == nil {
			if err := out.write(i, s); err != nil {
				return skipped, err
			}
		}
		if s.err != nil {
			skipped++
			fmt.Fprintf(a.stderr, "skipped %s: %v\n", s.file, s.err)
		}
		s.found = nil
	}
	return skipped, nil
}

// look reads a group of pictures, finds what is in them, and draws it.
func (o *predictOptions) look(ctx context.Context, d *native.Detector, shots []shot) error {
	var images []dataset.Image
	var places []dataset.Place
	var pictures []dataset.Picture
	var of []*shot
	for i := range shots {
		s := &shots[i]
		p, err := dataset.ReadPicture(s.file)
		if err != nil {
			s.err = err
			continue
		}
		m, at := p.Letterbox(d.Size)
		s.w, s.h = p.W, p.H
		images, places, pictures, of = append(images, m), append(places, at), append(pictures, p), append(of, s)
	}
	err := d.Find(ctx, images, []evaluate.NMSOptions{o.nms()}, func(i, _ int, all []evaluate.Candidate) {
		for _, c := range all {
			f := spotted{class: c.Class, score: c.Score}
			f.x0, f.y0, f.x1, f.y1 = places[i].Back(float64(c.X0), float64(c.Y0), float64(c.X1), float64(c.Y1), of[i].w, of[i].h)
			if f.x1 > f.x0 && f.y1 > f.y0 { // not all on the grey border
				of[i].found = append(of[i].found, f)
			}
		}
	})
	if err != nil || o.draw == "" {
		return err
	}
	for i, s := range of {
		if err := drawPicture(o.path(o.draw, s.name, ".png"), pictures[i], s.found, d.Classes); err != nil {
			return err
		}
	}
	return nil
}

// path is where the file of a picture goes, below a folder.
func (o *predictOptions) path(dir, name, extension string) string {
	return filepath.Join(dir, strings.TrimSuffix(name, filepath.Ext(name))+extension)
}

// checkNames refuses pictures whose files would overwrite each other, or themselves.
func (o *predictOptions) checkNames(shots []shot) error {
	type target struct{ dir, extension string }
	var targets []target
	if o.format == "yolo" {
		targets = append(targets, target{o.to, ".txt"})
	}
	if o.draw != "" {
		targets = append(targets, target{o.draw, ".png"})
	}
	for _, t := range targets {
		by := map[string]string{}
		for _, s := range shots {
			p := o.path(t.dir, s.name, t.extension)
			if other, ok := by[p]; ok {
				return usagef("%s and %s would both be written to %s: take them one after the other, into different folders", other, s.file, p)
			}
			by[p] = s.file
		}
		for _, s := range shots {
			if p := o.path(t.dir, s.name, t.extension); sameFile(p, s.file) {
				return usagef("%s would be overwritten: name another folder than its own", s.file)
			}
		}
	}
	return nil
}
