// Package yolov9 trains with the official YOLOv9 code in a checkout of the user's, as a subprocess.
//
// It writes the hyper-parameter file and the flags of a trial, starts the script that fits the model through
// a launcher of ours (launcher/, Python, embedded), and reads results.csv as it grows. The checkout is never
// edited: what the official code cannot do, the launcher adds in memory, each part only when a trial asks for it.
//
// It knows nothing of studies, stores or other trials. Start with Backend in backend.go; knobs.go is the table
// of everything that a study can set, with what the official code does with it.
package yolov9
