package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/studies/shipped"
)

// listedStudy is a line of `mapsweep studies list`.
type listedStudy struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

func (a *app) studiesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "studies",
		Short: "The studies that come with the binary",
		Args:  args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var asJSON, readme bool
	list := &cobra.Command{
		Use:   "list",
		Short: "List them",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			var all []listedStudy
			for _, s := range shipped.List() {
				all = append(all, listedStudy{s.Name, s.Title})
			}
			if asJSON {
				return printJSON(a.stdout, all)
			}
			for _, s := range all {
				fmt.Fprintf(a.stdout, "%-14s %s\n", s.Name, s.Title)
			}
			return nil
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	show := &cobra.Command{
		Use:   "show NAME",
		Short: "Print a study file, or with --readme how to read its answer",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			s, err := shipped.Open(given[0])
			if err != nil {
				return usagef("%w", err)
			}
			if asJSON {
				return printJSON(a.stdout, map[string]string{"name": s.Name, "title": s.Title, "file": string(s.File), "readme": string(s.Readme)})
			}
			text := s.File
			if readme {
				text = s.Readme
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
	show.Flags().BoolVar(&asJSON, "json", false, "print both as JSON")
	show.Flags().BoolVar(&readme, "readme", false, "print its README instead")
	c.AddCommand(list, show)
	return c
}
