-- From version 1 of our tables to 2: the log of finished trials, spaces apart from trials, identities. Trials of version 1
-- get no identity: that version accepted the same one twice.
CREATE TABLE mapsweep_spaces (
	space_id INTEGER PRIMARY KEY,
	study_id INTEGER NOT NULL REFERENCES studies (study_id),
	space TEXT NOT NULL,
	UNIQUE (study_id, space)
);
INSERT INTO mapsweep_spaces (study_id, space) SELECT study_id, space FROM mapsweep_trials GROUP BY study_id, space ORDER BY MIN(trial_id);
ALTER TABLE mapsweep_trials RENAME TO mapsweep_trials_1;
CREATE TABLE mapsweep_trials (
	trial_id INTEGER PRIMARY KEY REFERENCES trials (trial_id),
	study_id INTEGER NOT NULL REFERENCES studies (study_id),
	key TEXT NOT NULL,
	params TEXT NOT NULL,
	space_id INTEGER NOT NULL REFERENCES mapsweep_spaces (space_id),
	identity BLOB,
	UNIQUE (study_id, key),
	UNIQUE (study_id, identity)
);
INSERT INTO mapsweep_trials (trial_id, study_id, key, params, space_id)
SELECT trial_id, study_id, key, params, space_id FROM mapsweep_trials_1 JOIN mapsweep_spaces USING (study_id, space) ORDER BY trial_id;
DROP TABLE mapsweep_trials_1;
DROP TABLE mapsweep_changes;
CREATE TABLE mapsweep_log (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	study_id INTEGER NOT NULL,
	trial_id INTEGER NOT NULL
);
UPDATE mapsweep_schema SET version = 2;
