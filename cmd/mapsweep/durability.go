package main

import (
	"github.com/spf13/cobra"

	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// durability is the value of --durability; the zero value is full.
type durability sqlite.Durability

// addDurability adds --durability to a command that writes to the database.
func addDurability(c *cobra.Command, d *durability) {
	*d = durability(sqlite.Full)
	c.Flags().Var(d, "durability", "full: a power cut takes no finished trial; normal: faster with many short trials, it may take the last ones")
}

// String implements pflag.Value.
func (d *durability) String() string { return string(*d) }

// Type implements pflag.Value.
func (*durability) Type() string { return "full|normal" }

// Set implements pflag.Value.
func (d *durability) Set(text string) error {
	level, err := sqlite.ParseDurability(text)
	if err == nil {
		*d = durability(level)
	}
	return err
}

// option is what the store is opened with.
func (d durability) option() sqlite.Option {
	if d == "" {
		d = durability(sqlite.Full)
	}
	return sqlite.WithDurability(sqlite.Durability(d))
}
