package preflight

import "fmt"

// ListImages returns the names and the label files of a split's images.
func ListImages(d Data, split string) (names, labels []string) {
	items, _ := list(d, split, &tally{})
	for _, it := range items {
		names, labels = append(names, it.name), append(labels, it.label)
	}
	return names, labels
}

// CheckPicture returns the kind of an image's fault and whether the official code leaves it out.
func CheckPicture(path string) (rule string, ignored bool) {
	p := checkPicture(path)
	return p.rule, p.ignored()
}

// Scalar returns the type and text that Python gives a plain YAML scalar.
func Scalar(text string) string {
	v := plain(value{}, text)
	return fmt.Sprintf("%s %s", [...]string{"NoneType", "bool", "int", "other", "str"}[v.sort], v.text)
}

// Realpath, LabelPath and AtLeast for tests.
var (
	Realpath  = realpath
	LabelPath = labelPath
	AtLeast   = atLeast
)

// ParseYAML says whether a text can be read.
func ParseYAML(b []byte) error {
	_, err := parseYAML(b)
	return err
}

// Studied returns the list of the studied files and their sums.
func Studied() string { return studiedSums }

// SetStudied replaces that list until the returned function is called.
func SetStudied(sums string) (restore func()) {
	old := studiedSums
	studiedSums = sums
	return func() { studiedSums = old }
}

// HasRule says whether a kind of fault of a file is explained.
func HasRule(kind string) bool { return fileRules[kind].what != "" }
