-- What hangs on Optuna's tables, whoever writes to them: laid again where it is missing.
CREATE INDEX IF NOT EXISTS mapsweep_log_study ON mapsweep_log (study_id);
DROP INDEX IF EXISTS mapsweep_waiting;
CREATE INDEX IF NOT EXISTS mapsweep_open ON trials (study_id, number) WHERE state IN ('RUNNING', 'WAITING');
CREATE TRIGGER IF NOT EXISTS mapsweep_finished AFTER UPDATE OF state ON trials
WHEN NEW.state NOT IN ('RUNNING', 'WAITING') AND OLD.state IN ('RUNNING', 'WAITING')
BEGIN
	INSERT INTO mapsweep_log (study_id, trial_id) VALUES (NEW.study_id, NEW.trial_id);
END;
CREATE TRIGGER IF NOT EXISTS mapsweep_added AFTER INSERT ON trials
WHEN NEW.state NOT IN ('RUNNING', 'WAITING')
BEGIN
	INSERT INTO mapsweep_log (study_id, trial_id) VALUES (NEW.study_id, NEW.trial_id);
END;
-- Optuna deletes a study with all its trials, and may give their IDs to others.
CREATE TRIGGER IF NOT EXISTS mapsweep_trial_deleted AFTER DELETE ON trials
BEGIN
	DELETE FROM mapsweep_trials WHERE trial_id = OLD.trial_id;
	DELETE FROM mapsweep_measurements WHERE trial_id = OLD.trial_id;
	DELETE FROM mapsweep_epochs WHERE trial_id = OLD.trial_id;
	DELETE FROM mapsweep_attempts WHERE trial_id = OLD.trial_id;
	DELETE FROM mapsweep_artifacts WHERE trial_id = OLD.trial_id;
END;
CREATE TRIGGER IF NOT EXISTS mapsweep_study_deleted AFTER DELETE ON studies
BEGIN
	DELETE FROM mapsweep_log WHERE study_id = OLD.study_id;
	INSERT INTO mapsweep_log (study_id, trial_id) VALUES (OLD.study_id, 0);
	DELETE FROM mapsweep_params WHERE study_id = OLD.study_id;
	DELETE FROM mapsweep_spaces WHERE study_id = OLD.study_id;
	DELETE FROM mapsweep_studies WHERE study_id = OLD.study_id;
END;
-- What finished while the triggers were missing.
INSERT INTO mapsweep_log (study_id, trial_id)
SELECT study_id, trial_id FROM trials
WHERE state NOT IN ('RUNNING', 'WAITING') AND trial_id NOT IN (SELECT trial_id FROM mapsweep_log)
ORDER BY datetime_complete, trial_id;
