package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/studies/shipped"
)

// listedClaim is a published claim as `mapsweep claims list --json` prints it.
type listedClaim struct {
	claims.Claim
	Figure string `json:"figure"`
	Hash   string `json:"hash"`
}

func (a *app) claimsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "claims",
		Short: "Published claims: list them, and check one on your data",
		Args:  args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.claimsListCommand("list"), a.claimsShowCommand(), a.claimsNewCommand(), a.claimsCheckCommand())
	return c
}

func (a *app) claimsListCommand(use string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   use,
		Short: "List published claims: their figures, what the official code does, and the study that tests each",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			var all []listedClaim
			for _, k := range claims.All() {
				all = append(all, listedClaim{k, k.Figure(), k.Hash()})
			}
			if asJSON {
				return printJSON(a.stdout, all)
			}
			for i, k := range all {
				if i > 0 {
					fmt.Fprintln(a.stdout)
				}
				a.printClaim(k.Claim)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON, with the hash of each")
	return c
}

func (a *app) printClaim(k claims.Claim) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(a.stdout, "  %-10s %s\n", what, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", k.ID, k.Figure())
	line("advice", "%s", k.Advice)
	if k.Expected != nil && len(k.Reported) > 0 {
		line("scores", "%s", k.Scores())
	}
	for _, p := range k.Pairs(studies.BackendYOLOv9) {
		line("compares", "%s with %s, by %s", settings(p.From), settings(p.To), k.Metric)
	}
	line("scene", "%s", k.Scene.Words)
	line("code", "%s. %s", k.Official.Judgement, k.Official.Fact)
	line("lever", "%s", k.Official.Lever)
	s, err := shipped.Open(k.Study)
	if err != nil {
		return // a test sees to it that every claim has a study
	}
	line("study", "%s, for %s", s.Name, strings.Join(s.Backends(), " and "))
}

func (a *app) claimsShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show ID|FILE",
		Short: "Print a claim as a file, to check a changed one or to keep",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			k, _, err := findClaim(given[0], "")
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.stdout, listedClaim{k, k.Figure(), k.Hash()})
			}
			_, err = a.stdout.Write(k.File())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON, with the hash")
	return c
}

func (a *app) claimsNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new",
		Short: "Print a file of a claim to start from: mapsweep claims new > claim.yaml",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.stdout, claims.Template)
			return err
		},
	}
}

// findClaim finds a claim by the path of a file or by id, and the folder that the file lies in ("" for one that comes
// with the program). id chooses among several in a file.
func findClaim(name, id string) (claims.Claim, string, error) {
	none := claims.Claim{}
	text, err := os.ReadFile(name)
	switch {
	case err == nil:
		all, err := claims.Parse(text, name)
		if err != nil {
			return none, "", &codeError{exitUsage, err}
		}
		var ids []string
		for _, c := range all {
			if c.ID == id || id == "" && len(all) == 1 {
				return c, filepath.Dir(name), nil
			}
			ids = append(ids, c.ID)
		}
		if id == "" {
			return none, "", usagef("%s holds %d claims; add --claim with one of %s", name, len(all), strings.Join(ids, ", "))
		}
		return none, "", usagef("%s has no claim %q%s; it has %s", name, id, didYouMean(id, ids), strings.Join(ids, ", "))
	case looksLikeFile(name), !errors.Is(err, fs.ErrNotExist) && !isDir(name):
		return none, "", usagef("read published claim: %w", err)
	case id != "":
		return none, "", usagef("--claim chooses among the claims of a file, and %s is none", name)
	}
	c, err := claims.Find(name)
	if err != nil {
		var ids []string
		for _, k := range claims.All() {
			ids = append(ids, k.ID)
		}
		return none, "", usagef("%w%s", err, didYouMean(name, ids))
	}
	return c, "", nil
}
