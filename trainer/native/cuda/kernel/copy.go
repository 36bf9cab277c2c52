package kernel

import "github.com/mapsweep/mapsweep/trainer/native/cuda"

// Copy copies a window to one of the same shape, or adds it there.
func Copy(t Type, from, to View, add bool) cuda.Launch {
	same("copy", from, to)
	args := struct {
		from, to View
		add, _   int32
	}{from: from, to: to, add: flag(add)}
	return lanewise(t.named("copy"), from, cuda.Args(args))
}

func flag(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
