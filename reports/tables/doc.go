// Package tables turns a snapshot into tables: the ablation table, the search
// table, every trial, failures; for the terminal, as Markdown, CSV and LaTeX.
//
// A Table is built once (ablation.go, search.go, lists.go) and rendered by
// Terminal, Markdown or LaTeX; CSV has its own columns, with full precision. It
// draws no charts and writes no files: callers hand it an io.Writer. Words and
// rounding come from package reports. Start with All.
package tables
