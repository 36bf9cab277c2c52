package optuna

import (
	_ "embed"
	"slices"
)

// Schema makes Optuna's tables where they are missing.
//
//go:embed schema.sql
var Schema string

// What a database of this schema says of itself in version_info and alembic_version.
const (
	SchemaVersion  = 12
	LibraryVersion = "5.0.0"
	Revision       = "v3.2.0.a"
)

// Tables are the tables by which a file is known as Optuna's.
var Tables = []string{"studies", "study_directions", "trials", "trial_params", "trial_values", "version_info"}

// older lists the revisions before Revision; `optuna storage upgrade` brings them forward.
var older = []string{"v0.9.0.a", "v1.2.0.a", "v1.3.0.a", "v2.4.0.a", "v2.6.0.a", "v3.0.0.a", "v3.0.0.b", "v3.0.0.c", "v3.0.0.d"}

// Older says whether revision is one that Optuna's own upgrade must bring forward first.
func Older(revision string) bool { return slices.Contains(older, revision) }

// System attributes and their meaning.
const (
	Constraints = "constraints"        // of a trial: JSON list of violations, feasible if all are at most 0
	FixedParams = "fixed_params"       // of a trial: parameter values laid down before it starts, as a JSON object
	MetricNames = "study:metric_names" // of a study: JSON list of names of its objectives
)
