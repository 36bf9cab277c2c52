// Package html writes a study's report: one page that needs no network and no
// JavaScript, prints, and follows the reader's light or dark setting, with the
// tables and charts as files beside it.
//
// The page follows a fixed order: the answer in sentences, four facts, effects,
// every trial, curves, searches, signals, failures, how it was done, provenance, all
// trials. Its words come from package reports and words.go, its looks from
// page.html and style.css, its pictures from reports/charts, inlined as SVG whose
// text and colours are the page's.
//
// It knows nothing of stores or trainers: it is handed a reports.Snapshot. Start
// with WriteAll (everything, at the end) and WriteLight (page and tables, after
// each trial) in write.go; Page renders the page alone.
package html
