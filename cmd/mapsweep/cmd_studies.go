package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/studies/shipped"
	"github.com/mapsweep/mapsweep/trials"
)

// listedStudy is a line of `mapsweep studies list`.
type listedStudy struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Backends []string `json:"backends"`
	Claim    string   `json:"claim,omitempty"`  // id of the published claim that it tests
	Figure   string   `json:"figure,omitempty"` // what was published
}

func (a *app) studiesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "studies",
		Short: "The studies that come with the binary, and the published claims that they test",
		Args:  args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.studiesListCommand(), a.studiesShowCommand(), a.claimsListCommand("claims"))
	return c
}

func (a *app) studiesListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List them, with the trainers that they have a file for and the figure that they test",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			var all []listedStudy
			for _, s := range shipped.List() {
				l := listedStudy{Name: s.Name, Title: s.Title, Backends: s.Backends()}
				if claim, ok := claims.OfStudy(s.Name); ok {
					l.Claim, l.Figure = claim.ID, claim.Figure()
				}
				all = append(all, l)
			}
			if asJSON {
				return printJSON(a.stdout, all)
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 3, ' ', 0)
			fmt.Fprintln(w, "study\tbackends\tpublished claim\tquestion")
			for _, s := range all {
				figure := "-"
				if s.Claim != "" {
					figure = s.Figure
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Name, strings.Join(s.Backends, ", "), figure, s.Title)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (a *app) studiesShowCommand() *cobra.Command {
	var asJSON, readme bool
	var backend string
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Print a study file, or with --readme how to read its answer",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			s, err := shipped.Open(given[0])
			if err != nil {
				return usagef("%w", err)
			}
			if readme && !asJSON {
				_, err = a.stdout.Write(s.Readme)
				return err
			}
			if backend == "" { // nothing is run, so that the one that there is will do
				backend = s.Backends()[0]
			}
			file, err := s.For(backend)
			if err != nil {
				return usagef("%w", err)
			}
			if asJSON {
				return printJSON(a.stdout, map[string]any{"name": s.Name, "title": s.Title, "backend": backend, "backends": s.Backends(),
					"file": string(file), "readme": string(s.Readme)})
			}
			_, err = a.stdout.Write(file)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print both as JSON")
	c.Flags().BoolVar(&readme, "readme", false, "print its README instead")
	c.Flags().StringVar(&backend, "backend", "", "print the file for this trainer: native or yolov9 (default native, if there is one)")
	return c
}

// settings prints parameters for people: mixup=0.15 autoaugment=none.
func settings(p trials.Params) string {
	var parts []string
	for _, name := range p.Names() {
		parts = append(parts, name+"="+trials.FormatValue(p[name]))
	}
	return strings.Join(parts, " ")
}
