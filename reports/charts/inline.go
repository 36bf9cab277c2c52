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

var (
	svgViewBox = regexp.MustCompile(`viewBox="([^"]*)"`)
	svgColor   = regexp.MustCompile(`#[0-9A-F]{6}`)
	svgFont    = regexp.MustCompile(`\s*style="font-family:[^;"]*;font-variant:[^;"]*;font-weight:([^;"]*);font-style:[^;"]*;`)
)

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
	body = svgFont.ReplaceAllStringFunc(body, func(t string) string {
		if svgFont.FindStringSubmatch(t)[1] == "bold" {
			return ` style="font-weight:600;`
		}
		return ` style="`
	})
	body = svgColor.ReplaceAllStringFunc(body, themed)
	return fmt.Sprintf("<svg viewBox=%q role=\"img\" aria-label=\"%s\">\n%s</svg>", box, html.EscapeString(label), strings.TrimLeft(body, "\n"))
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
