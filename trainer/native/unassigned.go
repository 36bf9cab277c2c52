package native

import "fmt"

// unassigned is in how many of the finished epochs no point was given to any object, so that no box was learned.
func (r *run) unassigned() (n int) {
	for _, c := range r.curves {
		if c.Metrics["loss/box"] == 0 && c.Metrics["loss/dfl"] == 0 {
			n++
		}
	}
	return n
}

// warnUnassigned tells after the first epoch that no box was learned in it. A fresh network predicts boxes of about
// as many strides a side as it has bins. Against much smaller objects their alignment, p^alpha CIoU^beta, is next to
// nothing, and stays so.
func (r *run) warnUnassigned() {
	if r.unassigned() == 0 {
		return
	}
	text := fmt.Sprintf("no object got a point to learn its box from in the first epoch: "+
		"the objects are too small for the boxes of a fresh %s at %d pixels; use a larger image_size, a smaller tal_beta (%g now), or trained weights", r.b.model.name, r.data.Size, r.set.method.Beta)
	r.log.printf("warning: %s", text)
	r.b.log.Warn(text, "trial", r.job.Number)
}

// remark is what is unusual about the finished run, or "".
func (r *run) remark() string {
	n := r.unassigned()
	if n == 0 || n < len(r.curves) {
		return r.note
	}
	text := fmt.Sprintf("no object got a point to learn its box from in any of the %d epochs: use a larger image_size, a smaller tal_beta, or trained weights", n)
	if r.note != "" {
		text = r.note + "; " + text
	}
	return text
}
