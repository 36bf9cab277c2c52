package charts

import "image"

// Plates are where DrawBoxes puts the labels of objects in a picture, and what they say.
func Plates(all image.Rectangle, objects []Marked) (at []image.Rectangle, words []string, err error) {
	thick, letters, err := pens(all)
	if err != nil {
		return nil, nil, err
	}
	defer letters.Close()
	for _, p := range placeLabels(all, letters, objects, thick) {
		at, words = append(at, p.at), append(words, p.words)
	}
	return at, words, nil
}
