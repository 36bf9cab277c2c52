package native

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// saidClasses are the names of classes in the words about a file of weights: classes of this program's own, else names of a
// model of PyTorch, which was never told any if these are the numbers from 0. nil: there are none.
func saidClasses(words map[string]string) []string {
	for _, key := range []string{"classes", "names"} {
		var said []string
		if json.Unmarshal([]byte(words[key]), &said) != nil || len(said) == 0 { // another program's word
			continue
		}
		if key == "classes" || !slices.Equal(said, numbers(len(said))) {
			return said
		}
	}
	return nil
}

// numbers are the classes' numbers from 0, which stand for names that are not known.
func numbers(classes int) []string {
	list := make([]string, classes)
	for k := range list {
		list[k] = strconv.Itoa(k)
	}
	return list
}

// CheckNames says whether names tell classes apart: none may be empty or there twice.
func CheckNames(names []string) error {
	for k, name := range names {
		if strings.TrimSpace(name) == "" {
			return fmt.Errorf("name %d is empty", k+1)
		}
		if slices.Contains(names[:k], name) {
			return fmt.Errorf("%s is there twice", name)
		}
	}
	return nil
}

// names are those of so many classes: as given, or as the file has them, or else their numbers from 0.
func (f foreign) names(classes int, given []string) (names []string, named bool, err error) {
	if given != nil {
		if len(given) != classes {
			are := "names are"
			if len(given) == 1 {
				are = "name is"
			}
			return nil, false, optionError(OptionClasses, "it tells %d classes apart, and %d %s given", classes, len(given), are)
		}
		return given, true, nil
	}
	said := saidClasses(f.set.Meta)
	if said == nil {
		return numbers(classes), false, nil
	}
	if len(said) != classes {
		return nil, false, optionError(OptionClasses, "it names %d classes and tells %d apart", len(said), classes)
	}
	if err := CheckNames(said); err != nil {
		return nil, false, optionError(OptionClasses, "of its own names of classes, %w", err)
	}
	return said, true, nil
}
