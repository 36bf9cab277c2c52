package kernels

import "slices"

// Room is scratch memory that layers share of which no two run at the same time: those of one network. It is as large as the
// largest of them needs. The zero value is ready. A layer may be bound to it while none of the others runs.
type Room struct {
	mem   []float32
	users []user
}

// user is a layer bound to a room.
type user interface {
	floats() int           // that it needs
	settle(room []float32) // tells it where they are
}

// join makes k a user of the room, which grows where k needs more floats: then all its users move.
func (r *Room) join(k user) {
	r.users = append(r.users, k)
	if k.floats() <= len(r.mem) {
		k.settle(r.mem)
		return
	}
	Free(r.mem)
	r.mem = Alloc(k.floats())
	for _, u := range r.users {
		u.settle(r.mem)
	}
}

// leave undoes join; the room keeps its size.
func (r *Room) leave(k user) {
	r.users = slices.DeleteFunc(r.users, func(u user) bool { return u == k })
}

// Floats is how much there is.
func (r *Room) Floats() int { return len(r.mem) }

// Close frees the memory. No layer that was bound to it may run any more.
func (r *Room) Close() {
	Free(r.mem)
	*r = Room{}
}

// needs is what a layer takes of a room, in floats: scratch of the threads, then transformed weights in so many pieces; or, in
// the backward pass with bfloat16, operands of the images of a group.
type needs struct {
	threads, images     int
	transformed, pieces int
}

func (n needs) floats() int { return max(n.threads+n.pieces*n.transformed, n.images) }
