// Package process runs one program for a trial: in a process group of its own,
// with its output in a file, stopped gracefully and then for certain, and never
// left behind.
//
// It knows nothing of parameters, metrics or trials. Start with Run.
package process
