package native

import (
	"encoding/json"
	"slices"
	"strconv"
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
