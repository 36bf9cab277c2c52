package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/trials"
)

// claimCheck is a study that checks a published claim: what was registered, and what came of it. nil is a study that
// checks none.
type claimCheck struct {
	registered claims.Registered
	found      reports.ClaimCheck // after print
	metric     string
	quiet      bool // print nothing: the result goes out as JSON
}

// claimFlags are the flags of `mapsweep claims check`.
type claimFlags struct {
	sets                      []string
	id, data, backend, as     string
	parallel                  int
	asJSON, plain, allowInert bool
}

func (a *app) claimsCheckCommand() *cobra.Command {
	var f claimFlags
	c := &cobra.Command{
		Use:   "check FILE|ID",
		Short: "Check a published claim on your data, with seeds and an interval",
		Long: `Check runs the two settings of a published claim against each other, seed by seed, until the difference is
settled, and holds the interval of the effect against the published figure:

  SUPPORTED           an improvement, and the interval meets what was claimed
  SMALLER             an improvement, smaller than claimed
  LARGER              an improvement, larger than claimed
  CONTRADICTED        it makes things worse: exit code 5
  NO RELEVANT EFFECT  the interval lies within the margin of no weight
  INCONCLUSIVE        none of these, with the replicates that it would need

The claim is stored with its hash before the first trial. The same command again goes on, or repeats the verdict
without a new trial; a changed claim is refused under the same name. FILE is a file as 'mapsweep claims new' prints.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if c.Flags().Changed("as") && f.as == "" {
				return usagef("--as needs a name")
			}
			if f.parallel < 0 {
				return usagef("--parallel %d: at least 1, or 0 for the study's budget", f.parallel)
			}
			return a.checkClaim(c.Context(), given[0], f)
		},
	}
	addSet(c, &f.sets)
	addBackend(c, &f.backend)
	c.Flags().StringVar(&f.data, "data", "", "data set: builtin:NAME, or the path of a data.yaml, of a VOC or a COCO data set (default: the study's)")
	c.Flags().StringVar(&f.id, "claim", "", "which claim of the file, if it holds several")
	c.Flags().StringVar(&f.as, "as", "", "name of the study (default claim-ID, and claim-ID-yolov9)")
	c.Flags().IntVar(&f.parallel, "parallel", 0, "trials at once (default: the study's budget)")
	addAllowInert(c, &f.allowInert)
	c.Flags().BoolVar(&f.plain, "plain", false, "plain lines instead of the live view")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print the verdict as JSON; what happens goes to standard error")
	return c
}

// checkClaim registers a claim, runs its study and says what came of it.
func (a *app) checkClaim(ctx context.Context, name string, f claimFlags) error {
	claim, dir, err := findClaim(name, f.id)
	if err != nil {
		return err
	}
	src, err := a.claimSource(ctx, claim, dir, f)
	if err != nil {
		return err
	}
	spec, err := src.parse()
	if err != nil {
		return err
	}
	if err := claim.Fits(spec); err != nil {
		return usagef("the study is not the one that the claim asks for:\n%w\nA changed claim is another claim: 'mapsweep claims show %s > claim.yaml', and check that file", err, name)
	}
	registered, err := a.registered(ctx, spec.Name, claim)
	if err != nil {
		return err
	}
	check := &claimCheck{registered: registered, metric: spec.Objective.Metric, quiet: f.asJSON}
	out := a.stdout
	if f.asJSON { // everything else is for people
		a.stdout = a.stderr
	}
	err = a.run(ctx, src, runOptions{parallel: f.parallel, plain: f.plain, allowInert: f.allowInert, check: check})
	if f.asJSON && check.found.Hash != "" {
		err = errors.Join(err, printJSON(out, check.document(spec.Name)))
	}
	return err
}

// claimSource is the study file of a claim with what the claim makes of it.
func (a *app) claimSource(ctx context.Context, claim claims.Claim, dir string, f claimFlags) (source, error) {
	name := claim.Study
	if beside := filepath.Join(dir, name); dir != "" && pathExists(beside) {
		name = beside
	}
	src, err := a.findSource(ctx, name, f.backend, nil)
	if err != nil {
		return src, fmt.Errorf("study of the claim %s: %w", claim.ID, err)
	}
	if src.spec != nil {
		return src, usagef("study of the claim %s: %s has no study file here to make a check from", claim.ID, src.opts.File)
	}
	base, err := studies.Parse(src.text, src.opts)
	if err != nil {
		return src, err
	}
	backend := base.Trainer.Backend
	as := cmp.Or(f.as, "claim-"+claim.ID)
	if f.as == "" && backend == studies.BackendYOLOv9 {
		as += "-" + backend
	}
	src.opts.File += " as claim " + claim.ID
	src.opts.Set = claim.Overrides(as, backend)
	if f.data != "" {
		data := f.data
		if src.dir != "" && pathExists(data) { // not the one of that name beside the study file
			if data, err = filepath.Abs(data); err != nil {
				return src, usagef("--data: %w", err)
			}
		}
		src.opts.Set = append(src.opts.Set, "trainer.data="+strconv.Quote(data))
	}
	src.opts.Made = len(src.opts.Set)
	src.opts.Set = append(src.opts.Set, f.sets...)
	return src, nil
}

// registered is the claim as it was registered with the study, or as it is to be. A study that was begun with another
// claim, or with none, is refused.
func (a *app) registered(ctx context.Context, study string, claim claims.Claim) (claims.Registered, error) {
	st, err := a.recorded(ctx, study)
	if err != nil { // no such study yet, or no database; the run says what is wrong with one
		return claims.Register(claim, trials.Now()), nil
	}
	old, ok, err := claims.Of(st)
	switch {
	case err != nil:
		return old, err
	case !ok:
		return old, usagef("study %q is recorded and checks no claim: a claim is registered before the first trial; give another name with --as", study)
	case old.Hash != claim.Hash():
		return old, changedClaim(study, old, claim.Hash())
	}
	return old, nil
}

// changedClaim refuses a claim that is not the one that was registered.
func changedClaim(study string, old claims.Registered, now string) error {
	return usagef("the claim was changed since it was registered for study %q:\n  registered %s  %s\n  now                                 %s\n"+
		"What was fixed before the first trial stays. Check the changed claim as a new study with --as NEWNAME", study, old.At.Format("2006-01-02 15:04:05 UTC"), old.Hash, now)
}

// attrs are what a study gets with its creation.
func (c *claimCheck) attrs() map[string]json.RawMessage {
	if c == nil {
		return nil
	}
	return map[string]json.RawMessage{claims.Attr: trials.Attr(c.registered)}
}

// print judges the claim and writes the answer, verdict first.
func (c *claimCheck) print(w io.Writer, snap *reports.Snapshot) error {
	if c == nil {
		return nil
	}
	found, ok, err := snap.Claim()
	switch {
	case err != nil:
		return err
	case !ok:
		return usagef("study %q was begun by another process that checks no claim; give another name with --as", snap.Study.Name)
	case found.Hash != c.registered.Hash: // another process was faster
		return changedClaim(snap.Study.Name, found.Registered, c.registered.Hash)
	}
	c.found = found
	if c.quiet {
		return nil
	}
	fmt.Fprintln(w)
	for _, line := range found.Words(snap.Metric.Key) {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
	return nil
}

// contradicted says that the claim was judged so.
func (c *claimCheck) contradicted() bool { return c != nil && c.found.Verdict == claims.Contradicted }

// claimDocument is a check for other programs. Effects are in the claim's unit, counted so that larger is better.
type claimDocument struct {
	Claim      string              `json:"claim"`
	Study      string              `json:"study"`
	Verdict    claims.Verdict      `json:"verdict"`
	Done       bool                `json:"done"`
	Metric     string              `json:"metric"`
	Unit       claims.Unit         `json:"unit"`
	Margin     float64             `json:"margin"`
	Alpha      float64             `json:"alpha"`
	Hash       string              `json:"hash"`
	Registered string              `json:"registered"`
	Pairs      []claimDocumentPair `json:"pairs"`
	Outside    []string            `json:"outside_of_scene,omitempty"`
	Unknown    []string            `json:"scene_unknown,omitempty"`
	Words      []string            `json:"words"`
}

type claimDocumentPair struct {
	From  trials.Params `json:"from"`
	To    trials.Params `json:"to"`
	Found claims.Judged `json:"found"`
}

func (c *claimCheck) document(study string) claimDocument {
	k := c.found.Claim
	d := claimDocument{Claim: k.ID, Study: study, Verdict: c.found.Verdict, Done: c.found.Done, Metric: c.metric, Unit: k.Unit, Margin: k.Margin, Alpha: k.Alpha,
		Hash: c.found.Hash, Registered: c.found.At.Format("2006-01-02T15:04:05Z"), Outside: c.found.Outside, Unknown: c.found.Unknown, Words: c.found.Words(c.metric)}
	for _, p := range c.found.Pairs {
		d.Pairs = append(d.Pairs, claimDocumentPair{From: p.From, To: p.To, Found: p.Judged})
	}
	return d
}
