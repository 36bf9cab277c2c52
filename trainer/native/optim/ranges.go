package optim

import "sync"

// grain is the fewest floats that are worth a thread: some tens of microseconds.
const grain = 1 << 16

// ranges deals the floats first to end-1 out to so many threads and returns when all are done. What work does to a float must
// not depend on the others. Ranges begin at multiples of 16 from first.
func ranges(threads, first, end int, work func(from, to int)) {
	shares := min(threads, (end-first)/grain)
	if shares < 2 {
		work(first, end)
		return
	}
	at := func(i int) int { return first + (end-first)*i/shares/16*16 }
	var wg sync.WaitGroup
	for i := 1; i < shares; i++ {
		from, to := at(i), at(i+1)
		if i == shares-1 {
			to = end
		}
		wg.Go(func() { work(from, to) })
	}
	work(first, at(1))
	wg.Wait()
}
