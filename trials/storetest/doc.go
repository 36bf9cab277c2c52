// Package storetest is the conformance suite of trials.Store: what every store
// must do, alone, from many goroutines, through several handles on one file, from
// two processes, and after kill -9 in the middle of writing.
//
// It knows no implementation. A store's test calls Run, and stores with a file
// RunFile from a test binary whose TestMain is Main. Start with Run.
package storetest
