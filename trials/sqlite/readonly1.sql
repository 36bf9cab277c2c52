-- Version 1 of our tables, opened for reading, seen as version 2.
CREATE TEMP VIEW mapsweep_spaces AS SELECT trial_id AS space_id, study_id, space FROM main.mapsweep_trials;
CREATE TEMP VIEW mapsweep_trials AS SELECT trial_id, study_id, key, params, trial_id AS space_id, NULL AS identity FROM main.mapsweep_trials;
