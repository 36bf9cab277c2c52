// Package memory is a trials.Store that lives in this process: for dry runs,
// tests and single training runs that nobody needs to find again.
//
// It keeps the same promises as trials/sqlite (both pass trials/storetest) and
// knows nothing of files, samplers or trainers. Start with New.
package memory
