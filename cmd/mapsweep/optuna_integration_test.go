//go:build integration

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestOptuna drives the binary beside real Optuna, in both versions; .ci/optuna.sh makes the interpreters.
func TestOptuna(t *testing.T) {
	for version, variable := range map[string]string{"5.0.0": "MAPSWEEP_OPTUNA5_PYTHON", "4.9.0": "MAPSWEEP_OPTUNA4_PYTHON"} {
		t.Run(version, func(t *testing.T) {
			python := os.Getenv(variable)
			if python == "" {
				t.Skipf("%s does not name a Python with Optuna %s: eval \"$(.ci/optuna.sh)\" makes it", variable, version)
			}
			testscript.Run(t, testscript.Params{
				Dir: filepath.Join("testdata", "optuna"),
				Setup: func(env *testscript.Env) error {
					env.Setenv("HOME", env.WorkDir)
					env.Setenv("NO_COLOR", "1")
					env.Setenv("TZ", "UTC") // Optuna 4 writes local times
					env.Setenv("MAPSWEEP_FAKE_GPUS", "none")
					env.Setenv("OPTUNA_PYTHON", python)
					env.Setenv("OPTUNA_VERSION", version)
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": codeCommand, "json": jsonCommand},
			})
		})
	}
}
