// Package tables turns a snapshot into tables: the ablation table, the search
// table, every trial, failures; for the terminal, as Markdown, LaTeX, HTML, CSV
// and JSON.
//
// A Table is built once (ablation.go, search.go, group.go, data.go, lists.go), as
// a View asks for (view.go), and rendered by Terminal, Markdown, LaTeX or HTML;
// CSV and JSON have columns of their own, with full precision. It draws no charts
// and writes no files: callers hand it an io.Writer. Words and rounding come from
// package reports. Start with View.Tables.
package tables
