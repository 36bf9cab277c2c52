package charts

import (
	"fmt"
	"html"
	"image/color"
	"regexp"
	"strconv"
	"strings"
)

// variable names the CSS custom property that stands for a colour on a page.
var variables = []struct {
	color color.NRGBA
	name  string
}{
	{Ink, "--ink"}, {Mute, "--mute"}, {Light, "--light"}, {Line, "--line"}, {Wash, "--wash"},
	{Blue, "--blue"}, {Vermilion, "--vermilion"}, {Green, "--green"}, {Purple, "--purple"},
	{Orange, "--orange"}, {Sky, "--sky"},
}

var svgViewBox = regexp.MustCompile(`viewBox="([^"]*)"`)

// inline turns a whole SVG document of gonum/plot into an element for a page.
func inline(doc, label string) string {
	box := ""
	if m := svgViewBox.FindStringSubmatch(doc); m != nil {
		box = m[1]
	}
	body := doc
	if _, rest, ok := strings.Cut(doc, "<svg"); ok {
		if _, inner, ok := strings.Cut(rest, ">"); ok {
			body = strings.TrimSuffix(strings.TrimSpace(inner), "</svg>")
		}
	}
	body = themedColors(withoutFonts(body))
	return fmt.Sprintf("<svg viewBox=%q role=\"img\" aria-label=\"%s\">\n%s</svg>", box, html.EscapeString(label), strings.TrimLeft(body, "\n"))
}

// withoutFonts leaves of every text's font its size and whether it is bold. gonum/plot writes
// style="font-family:F;font-variant:V;font-weight:W;font-style:S;font-size:Zpx", with a line break before it.
func withoutFonts(body string) string {
	const begin = `style="font-family:`
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(body, begin)
		size := strings.Index(rest, "font-size:")
		if !ok || size < 0 {
			b.WriteString(body)
			return b.String()
		}
		b.WriteString(strings.TrimRight(before, " \t\n"))
		b.WriteString(` style="`)
		if strings.Contains(rest[:size], "font-weight:bold;") {
			b.WriteString("font-weight:600;")
		}
		body = rest[size:]
	}
}

// themedColors replaces the colours in tags ("#0072B2"), and leaves texts as they are.
func themedColors(body string) string {
	var b strings.Builder
	from, tag := 0, false
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '<', '>':
			tag = body[i] == '<'
		case '#':
			if tag && i+7 <= len(body) && isHex(body[i+1:i+7]) {
				b.WriteString(body[from:i])
				b.WriteString(themed(body[i : i+7]))
				from = i + 7
			}
		}
	}
	b.WriteString(body[from:])
	return b.String()
}

func isHex(t string) bool {
	return strings.Trim(t, "0123456789ABCDEF") == ""
}

// themed is the custom property of a colour. gonum/plot rounds faded colours down, so that near is near enough.
func themed(hex string) string {
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		return hex
	}
	near := func(a uint64, b uint8) bool { d := int(a&0xff) - int(b); return d >= -3 && d <= 3 }
	for _, v := range variables {
		if near(n>>16, v.color.R) && near(n>>8, v.color.G) && near(n, v.color.B) {
			return "var(" + v.name + ")"
		}
	}
	return hex
}
