package kernels

// Room is scratch memory that layers share of which no two run at the same time: those of one network. The zero value is
// ready. It grows while layers are bound; what they got before stays theirs.
type Room struct{ all [][]float32 }

// take returns the largest piece that is there, or a new one if that has fewer floats.
func (r *Room) take(floats int) []float32 {
	if n := len(r.all); n > 0 && len(r.all[n-1]) >= floats {
		return r.all[n-1]
	}
	r.all = append(r.all, Alloc(floats))
	return r.all[len(r.all)-1]
}

// Floats is how much there is.
func (r *Room) Floats() (n int) {
	for _, m := range r.all {
		n += len(m)
	}
	return n
}

// Close frees the memory. No layer that was bound to it may run any more.
func (r *Room) Close() {
	for _, m := range r.all {
		Free(m)
	}
	r.all = nil
}
