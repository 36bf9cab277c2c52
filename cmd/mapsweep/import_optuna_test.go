package main

import (
	"database/sql"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// optunaSchema has Optuna's tables as Optuna makes them.
var optunaSchema = filepath.Join("..", "..", "trials", "internal", "optuna", "schema.sql")

// optunadbCommand makes a database like one of Optuna's and runs the statements of a file on it: optunadb DATABASE VERSION FILE
func optunadbCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: optunadb DATABASE VERSION FILE")
	}
	schema, err := os.ReadFile(optunaSchema)
	ts.Check(err)
	db, err := sql.Open("sqlite3", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	for _, text := range []string{string(schema), "INSERT INTO version_info VALUES (1, 12, '" + args[1] + "')",
		"INSERT INTO alembic_version VALUES ('v3.2.0.a')", ts.ReadFile(args[2])} {
		if _, err := db.Exec(text); err != nil {
			ts.Fatalf("%v", err)
		}
	}
}
