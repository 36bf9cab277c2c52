// Package command trains by running any program: the parameters go in as arguments,
// environment variables or a JSON file, the metrics come back as JSON lines or as a table.
//
// What the program finds:
//
//	arguments            the template, with {name} replaced by parameters and by
//	                     {seed} {epochs} {dir} {params} {metrics} {data} {split}
//	                     {threads} {device} {cuda} {resume} {trial}; {{ and }} are braces;
//	                     {args} is all parameters in the form that Config.Arguments says
//	MAPSWEEP_PARAMS      path of a JSON object with all parameters
//	MAPSWEEP_PARAM_LR0   one variable per parameter: upper case, other characters than
//	                     letters and digits as underscores
//	MAPSWEEP_METRICS     file to append a line to after each epoch (counted from 1):
//	                     {"epoch": 3, "mAP50-95": 0.41, "loss/box": 0.9}
//	MAPSWEEP_SEED MAPSWEEP_EPOCHS MAPSWEEP_DATA MAPSWEEP_SPLIT MAPSWEEP_DIR (for its
//	files) MAPSWEEP_THREADS MAPSWEEP_DEVICES MAPSWEEP_TRIAL MAPSWEEP_RESUME
//
// NaN, Infinity and null are accepted as values. A line may also name a checkpoint,
// {"epoch": 3, "checkpoint": "last.pt", ...}, relative to MAPSWEEP_DIR: a trial that was
// interrupted is then started again with MAPSWEEP_RESUME naming it. To be stopped, the
// program gets SIGTERM, and SIGKILL some seconds later.
//
// Programs that were not written for this write a table of their own (Config.Table, source.go) and a checkpoint of
// their own after each row (Config.Checkpoint). That is copied as soon as it is whole (kept.go), as a program that is
// killed may leave its own half written.
//
// The package knows nothing of studies, samplers and stores. Start with New.
package command
