package optim

// Update is what one step of a run needs beside its batch.
type Update struct {
	Step    int   // batches before this one, of the whole run
	Updates int   // of the weights, before this batch
	Pending int   // batches before it whose gradients are summed and have not moved weights yet
	Move    bool  // weights move after this batch, for the time Updates + 1
	Rates   Rates // of that
}

// Pace counts batches and updates of a run.
type Pace struct {
	Schedule       Schedule
	Batch, Nominal int  // images of a batch, and whose gradients are to count together; Nominal 0: each batch moves weights
	Sums           bool // gradients are summed over batches at some time
	Step           int  // batches so far
	Updates        int  // of the weights so far
	Pending        int  // batches since the last
}

// NewPace is the pace at the start of a run.
func NewPace(s Schedule, batch, nominal int) Pace {
	return Pace{Schedule: s, Batch: batch, Nominal: nominal, Sums: nominal > 0 && Schedule{}.Accumulate(0, batch, nominal) > 1}
}

// Next is the update of the batch that comes next.
func (p *Pace) Next() Update {
	move := !p.Sums || p.Pending+1 >= p.Schedule.Accumulate(p.Step, p.Batch, p.Nominal)
	return Update{Step: p.Step, Updates: p.Updates, Pending: p.Pending, Move: move, Rates: p.Schedule.At(p.Step)}
}

// Done counts the batch of an update.
func (p *Pace) Done(u Update) {
	p.Step, p.Updates, p.Pending = u.Step+1, u.Updates, u.Pending+1
	if u.Move {
		p.Updates, p.Pending = u.Updates+1, 0
	}
}

// Back makes the batch of an update the next one.
func (p *Pace) Back(u Update) { p.Step, p.Updates, p.Pending = u.Step, u.Updates, u.Pending }
