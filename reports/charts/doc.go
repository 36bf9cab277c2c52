// Package charts draws a snapshot with gonum/plot: the score of every trial, the
// effects with their intervals, learning and loss curves, seed-by-seed slopes,
// and for searches the history and a slice per parameter.
//
// Each chart is one file with two steps: <name>Data picks and computes what is
// shown, <name>Draw puts it on a canvas. All lists them; Write renders one as
// SVG (text kept as text), PNG at 300 dpi or PDF. A chart draws the first block
// of its snapshot; use Snapshot.Only for the others.
//
// Layout is our own (canvas.go, text.go, axis.go): every text is measured before
// it is placed, wrapped or spread apart, and margins grow with it. Colours are
// Okabe and Ito's, never the only sign of a meaning. The font is Liberation
// Sans, which gonum/plot carries; it has no Chinese, Japanese or Korean, so that
// PNG and PDF show a box for such a letter, while SVG keeps the text itself.
//
// Beside those of studies, levels.go and confusion.go draw one validation of a detector, and boxes.go marks objects in
// a picture.
//
// It knows nothing of stores, tables or pages. Start with All in charts.go.
package charts
