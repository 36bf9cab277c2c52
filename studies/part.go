package studies

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Part is the part of objects and pictures that a metric is restricted to. The zero Part is all of them.
type Part struct {
	Area  string // "small", "medium" or "large" objects, by COCO's areas after resizing; "": all
	Dense bool   // pictures with at least as many objects as four fifths of the pictures have
	Class string // objects of one class; "": all
}

// DenseQuantile is the quantile of objects in a picture from which on it counts as dense.
const DenseQuantile = 0.8

// Areas are the ranges of object sizes: under 32 x 32 pixels, up to 96 x 96, and above.
var Areas = []string{"small", "medium", "large"}

// classPrefix begins the name of a class in a metric; it ends the metric, so that any class can be named.
const classPrefix = "class:"

// CutMetric splits a metric that is restricted to a part: "mAP50@small+dense" is mAP50 of small objects in dense
// pictures, "mAP50@dense+class:bolt" of one class in them. A metric without "@" is of all.
func CutMetric(metric string) (base string, part Part, err error) {
	base, rest, cut := strings.Cut(metric, "@")
	if !cut {
		return base, part, nil
	}
	for rest != "" {
		word := rest
		if !strings.HasPrefix(rest, classPrefix) {
			word, rest, _ = strings.Cut(rest, "+")
		} else {
			rest = ""
		}
		name, class := strings.CutPrefix(word, classPrefix)
		switch {
		case class && name != "":
			part.Class = name
		case word == "dense" && !part.Dense:
			part.Dense = true
		case slices.Contains(Areas, word) && part.Area == "":
			part.Area = word
		default:
			return base, part, fmt.Errorf("%q is no part of objects or pictures: one of small, medium and large, dense, and last class:NAME, with + between", word)
		}
	}
	if part == (Part{}) {
		return base, part, errors.New("after @ stands the part of objects or pictures: small, medium or large, dense, class:NAME")
	}
	return base, part, nil
}

// Metric is the metric restricted to the part, as CutMetric reads it.
func (p Part) Metric(base string) string {
	var words []string
	if p.Area != "" {
		words = append(words, p.Area)
	}
	if p.Dense {
		words = append(words, "dense")
	}
	if p.Class != "" {
		words = append(words, classPrefix+p.Class)
	}
	if len(words) == 0 {
		return base
	}
	return base + "@" + strings.Join(words, "+")
}

// String is the part in words: "small objects of class bolt in dense pictures".
func (p Part) String() string {
	what := strings.TrimSpace(p.Area + " objects")
	if p.Class != "" {
		what += " of class " + p.Class
	}
	if p.Dense {
		what += " in dense pictures"
	}
	return what
}
