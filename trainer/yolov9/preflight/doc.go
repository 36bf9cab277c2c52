// Package preflight finds what would stop or spoil a study with the official YOLOv9 code before a GPU-hour is
// spent: the checkout and its commit, the model and the script that fits it, Python and its packages, data.yaml
// resolved as the official code resolves it, every image and label file, disk, memory and GPUs.
//
// Every fault goes into one list; faults of a kind are one entry with a count and the first few places. Nothing is
// changed and nothing is fetched: files are read, one Python is started, git is asked. What the official code does
// with a file was read in its source at the studied commit (checkout.go) and is compared with the code itself by the
// test with tag integration.
//
// It knows nothing of studies, trials or results, and not how a trial is started. Start with Check in check.go;
// each part stands alone too: ReadCheckout, Script, Probe, Resolve, Inspect, Room.
package preflight
