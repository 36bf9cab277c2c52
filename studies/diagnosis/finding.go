package diagnosis

// State is what a rule found.
type State string

// The states, worst first.
const (
	Problem State = "problem"
	Watch   State = "watch"
	Unknown State = "cannot be judged"
	Healthy State = "healthy"
)

// States lists the states in the order in which people should read them.
var States = []State{Problem, Watch, Unknown, Healthy}

// rank is the place of the state in that order.
func (s State) rank() int {
	for i, x := range States {
		if s == x {
			return i
		}
	}
	return len(States)
}

// The sources of thresholds.
const (
	fromArticle = "tuning article, signals"
	fromUs      = "mapsweep, a rule of thumb"
)

// Finding is what one rule says of one trial.
type Finding struct {
	Rule      string   `json:"rule"`
	Title     string   `json:"title"`
	State     State    `json:"state"`
	Numbers   []Number `json:"numbers"` // what it was judged by; empty if there was nothing
	Threshold string   `json:"threshold"`
	Source    string   `json:"source"`            // of the threshold
	Meaning   string   `json:"meaning"`           // one plain sentence, the same for all trials that share the finding; for Unknown the reason
	Note      string   `json:"note,omitempty"`    // what the threshold does not say, or leaves out
	Instead   string   `json:"instead,omitempty"` // what to look at where the signal cannot be judged
	Levers    []Lever  `json:"levers,omitempty"`
}

// Lever is something that the user can change in this backend, or word that there is no such thing.
type Lever struct {
	Knob string `json:"knob,omitempty"` // a knob of the backend, or a key of the study file as trainer.epochs; "": there is none
	Now  string `json:"now,omitempty"`  // its value in this trial; "" where it is not recorded
	Do   string `json:"do"`
}

// Report is all that was found in one trial, in the order of the rules.
type Report struct {
	Trial    int       `json:"trial"`
	State    string    `json:"state"`  // of the trial, as the store names it
	Epochs   int       `json:"epochs"` // the last one that was measured; 0: none
	Planned  int       `json:"planned_epochs,omitempty"`
	Attempts int       `json:"attempts,omitempty"`
	Findings []Finding `json:"findings"`
}

// Worst is the worst state among the findings; Unknown if there are none.
func (r Report) Worst() State {
	worst := Unknown
	for i, f := range r.Findings {
		if i == 0 || f.State.rank() < worst.rank() {
			worst = f.State
		}
	}
	return worst
}
