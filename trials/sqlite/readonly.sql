-- A file without the log, opened for reading: trials by the time at which they finished.
CREATE TEMP VIEW mapsweep_log AS
SELECT ROW_NUMBER() OVER (ORDER BY datetime_complete, trial_id) AS seq, study_id, trial_id
FROM main.trials WHERE state NOT IN ('RUNNING', 'WAITING');
