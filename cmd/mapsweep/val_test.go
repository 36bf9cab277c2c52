package main

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// scoredCommand checks that val's COCO AP is the value that a trial ended with: scored SHOW.json VAL.json. The network of
// val differs from that of training by rounding, which can turn the order of two detections that all but tie.
func scoredCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: scored SHOW.json VAL.json")
	}
	var trial struct{ Values []float64 }
	var val struct {
		COCO struct {
			MAP float64 `json:"mAP50-95"`
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &trial))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &val))
	if len(trial.Values) != 1 || math.Abs(trial.Values[0]-val.COCO.MAP) > 1e-3 || val.COCO.MAP == 0 {
		ts.Fatalf("the trial ended with %v, val finds %v", trial.Values, val.COCO.MAP)
	}
}

// foundCommand checks that two outputs of predict name the same objects: found LINES.json COCO.json
func foundCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: found LINES.json COCO.json")
	}
	var list []cocoObject
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &list))
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var p predictedImage
		ts.Check(json.Unmarshal([]byte(line), &p))
		for _, o := range p.Detections {
			if n == len(list) {
				ts.Fatalf("%s has more objects than the %d of %s", args[0], n, args[1])
			}
			c := list[n]
			far := math.Abs(float64(c.Box[0]-o.Box[0])) + math.Abs(float64(c.Box[1]+c.Box[3]-o.Box[3]))
			if !strings.HasSuffix(p.Image, c.FileName) || c.Score != o.Score || far > 1e-3 {
				ts.Fatalf("object %d of %s is %+v, of %s %+v", n, p.Image, o, args[1], c)
			}
			n++
		}
	}
	if n == 0 || n != len(list) {
		ts.Fatalf("%d objects in %s, %d in %s", n, args[0], len(list), args[1])
	}
}
