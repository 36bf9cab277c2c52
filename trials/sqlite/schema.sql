-- mapsweep's own tables, beside Optuna's. Dates are UTC texts as in Optuna's tables; value types, too.
CREATE TABLE mapsweep_schema (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	version INTEGER NOT NULL
);
-- What a study was asked and where its results come from.
CREATE TABLE mapsweep_studies (
	study_id INTEGER PRIMARY KEY REFERENCES studies (study_id),
	objective TEXT NOT NULL,   -- metric name of the first objective
	file BLOB,                 -- the study file as the user wrote it
	resolved TEXT,             -- its decoded form, JSON
	provenance TEXT NOT NULL,  -- JSON
	created TEXT NOT NULL
);
-- Search spaces, each text once in a study.
CREATE TABLE mapsweep_spaces (
	space_id INTEGER PRIMARY KEY,
	study_id INTEGER NOT NULL REFERENCES studies (study_id),
	space TEXT NOT NULL,       -- the parameters that vary, JSON list
	UNIQUE (study_id, space)
);
-- The suggestion behind a trial. Trials that Optuna added have no row here.
CREATE TABLE mapsweep_trials (
	trial_id INTEGER PRIMARY KEY REFERENCES trials (trial_id),
	study_id INTEGER NOT NULL REFERENCES studies (study_id),
	key TEXT NOT NULL,
	params TEXT NOT NULL,      -- all parameters, JSON object; trial_params has only those that vary
	space_id INTEGER NOT NULL REFERENCES mapsweep_spaces (space_id),
	identity BLOB,             -- what would be run, see trials.Suggestion.Identity; NULL equals nothing
	UNIQUE (study_id, key),
	UNIQUE (study_id, identity)
);
-- One distribution per name and study, as Optuna demands; choices are only ever appended.
CREATE TABLE mapsweep_params (
	study_id INTEGER NOT NULL REFERENCES studies (study_id),
	name TEXT NOT NULL,
	distribution_json TEXT NOT NULL,
	PRIMARY KEY (study_id, name)
) WITHOUT ROWID;
CREATE TABLE mapsweep_epochs (
	trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
	epoch INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	at TEXT,
	PRIMARY KEY (trial_id, epoch)
) WITHOUT ROWID;
-- Every metric of every epoch; value is NULL unless value_type is FINITE.
CREATE TABLE mapsweep_measurements (
	trial_id INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	metric TEXT NOT NULL,
	value REAL,
	value_type TEXT NOT NULL,
	PRIMARY KEY (trial_id, epoch, metric),
	FOREIGN KEY (trial_id, epoch) REFERENCES mapsweep_epochs (trial_id, epoch) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE mapsweep_attempts (
	trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
	number INTEGER NOT NULL,   -- from 1
	worker TEXT NOT NULL,
	started TEXT NOT NULL,
	ended TEXT,
	outcome TEXT,
	reason TEXT,
	PRIMARY KEY (trial_id, number)
) WITHOUT ROWID;
CREATE TABLE mapsweep_artifacts (
	artifact_id INTEGER PRIMARY KEY,
	trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
	name TEXT NOT NULL,
	media_type TEXT NOT NULL,
	encoding TEXT NOT NULL,    -- gzip or identity
	size INTEGER NOT NULL,     -- bytes before compression
	data BLOB NOT NULL,
	UNIQUE (trial_id, name)
);
-- Trials of all writers, Optuna among them, in the order in which they finished; one again if an attribute of it was set
-- afterwards. trial_id 0: the study was deleted. Filled by the triggers of triggers.sql.
CREATE TABLE mapsweep_log (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	study_id INTEGER NOT NULL,
	trial_id INTEGER NOT NULL
);
