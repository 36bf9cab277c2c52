package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// How the argument of an instruction of a pickle stands in the program.
const (
	nothing  = iota
	one      // bytes
	two      // bytes
	four     // bytes
	eight    // bytes
	lines    // two, each to its end
	counted1 // bytes, after their number in 1 byte
	counted4 // bytes, after their number in 4 bytes
)

// instructions are those of protocol 2, which torch.save writes, as far as it uses them; nothing else is run.
var instructions = map[byte]int{
	'(': nothing, '.': nothing, '0': nothing, '1': nothing, '2': nothing, 'N': nothing, 'Q': nothing, 'R': nothing,
	'a': nothing, 'b': nothing, 'd': nothing, 'e': nothing, 'l': nothing, 's': nothing, 't': nothing, 'u': nothing,
	')': nothing, ']': nothing, '}': nothing, 0x81: nothing, 0x85: nothing, 0x86: nothing, 0x87: nothing, 0x88: nothing,
	0x89: nothing, 'J': four, 'K': one, 'M': two, 'G': eight, 'c': lines, 'h': one, 'j': four, 'q': one, 'r': four,
	'T': counted4, 'U': counted1, 'X': counted4, 0x80: one, 0x8a: counted1, 'B': counted4, 'C': counted1,
}

// scan walks over a program without running it: known instructions only, no argument beyond the end, one stop at the
// very end. What runs it afterwards would reserve memory for whatever length stands there.
func scan(program []byte) error {
	if len(program) < 2 || program[0] != 0x80 || program[1] > 3 {
		return errors.New("it is no pickle of protocol 2")
	}
	for at := 0; at < len(program); {
		op := program[at]
		kind, known := instructions[op]
		if !known {
			return fmt.Errorf("instruction %#x at byte %d is not one that torch.save writes", op, at)
		}
		n := length(kind, program[at+1:])
		if n < 0 || n > len(program)-at-1 {
			return fmt.Errorf("the argument of instruction %#x at byte %d goes beyond the end", op, at)
		}
		at += 1 + n
		if op == '.' {
			if at != len(program) {
				return fmt.Errorf("%d bytes follow its end", len(program)-at)
			}
			return nil
		}
	}
	return errors.New("it has no end")
}

// length is the number of bytes of an argument that begins at rest; -1 if it is cut off.
func length(kind int, rest []byte) int {
	switch kind {
	case one, two, four, eight:
		return 1 << (kind - one)
	case lines:
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			return -1
		}
		m := bytes.IndexByte(rest[n:], '\n') + 1
		if m == 0 {
			return -1
		}
		return n + m
	case counted1:
		if len(rest) < 1 {
			return -1
		}
		return 1 + int(rest[0])
	case counted4:
		if len(rest) < 4 {
			return -1
		}
		return 4 + int(binary.LittleEndian.Uint32(rest))
	}
	return 0
}
