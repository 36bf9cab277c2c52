package preflight

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	_ "image/gif" // blank imports: the formats whose sizes can be read
	"image/jpeg"
	_ "image/png"
	"io"
	"math"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// extensions are the endings of file names that the official code takes for pictures, in lower case.
var extensions = []string{"bmp", "dng", "jpeg", "jpg", "mpo", "png", "tif", "tiff", "webp", "pfm"}

// overlooked are endings of pictures that the official code does not take for pictures.
var overlooked = []string{"avif", "gif", "heic", "heif", "jfif", "jp2", "pgm", "ppm", "jxl"}

// Limits of the libraries that the official code reads pictures with.
const (
	leastSide   = 10           // pixels; smaller ones are left out
	bombPixels  = 2 * 89478485 // Pillow refuses more: a decompression bomb
	mostDecoded = 1 << 25      // pixels; larger pictures are not decoded here, for the memory that takes
)

// picture is what was found of one image file.
type picture struct {
	w, h   int
	format string // as Pillow calls it, in lower case; "": unknown
	size   int64  // of the file
	tail   uint64 // checksum of its end: files with the same content have the same
	rule   string // the kind of fault that it is, or ""
	detail string
}

// ignored says that the official code leaves the picture out.
func (p picture) ignored() bool {
	switch p.rule {
	case "", "image-restored", "image-unsure", "image-decode":
		return false
	}
	return true
}

// tailSize is how much of a file's end is read of every picture.
const tailSize = 4096

// checkPicture looks at an image file as the official code does before training: its header, its size, the end of a
// JPEG file, the checksums of PNG. Formats whose damage that check cannot see are decoded, too.
func checkPicture(path string) (p picture) {
	defer func() {
		if r := recover(); r != nil { // a decoder that trips over a broken file
			p.rule, p.detail = "image-unsure", fmt.Sprintf("decoder failed: %v", r)
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		p.rule, p.detail = "image-missing", cause(err).Error()
		if !errors.Is(err, os.ErrNotExist) {
			p.rule = "image-broken"
		}
		return p
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		p.rule, p.detail = "image-broken", "no regular file"
		return p
	}
	p.size = info.Size()
	if p.size == 0 {
		p.rule, p.detail = "image-broken", "the file is empty"
		return p
	}
	tail := make([]byte, min(p.size, tailSize))
	if _, err := f.ReadAt(tail, p.size-int64(len(tail))); err != nil {
		p.rule, p.detail = "image-broken", cause(err).Error()
		return p
	}
	p.tail = checksum(tail)
	p.inspect(f, tail)
	return p
}

// checksum is FNV-1a.
func checksum(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// inspect reads the header and judges the format.
func (p *picture) inspect(f *os.File, tail []byte) {
	head := make([]byte, 16)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		p.rule, p.detail = "image-broken", cause(err).Error()
		return
	}
	p.format = sniff(head[:n])
	switch p.format {
	case "":
		p.rule, p.detail = "image-broken", "not a picture of a format that is known"
		return
	case "gif", "ppm":
		p.rule, p.detail = "image-format", "a "+p.format+" file, whatever its name says"
		return
	case "bigtiff":
		p.rule, p.detail = "image-unsure", "a BigTIFF file"
		return
	case "webp":
		if claimed := int64(binary.LittleEndian.Uint32(head[4:])) + 8; claimed > p.size {
			p.rule, p.detail = "image-truncated", fmt.Sprintf("%d bytes of %d", p.size, claimed)
			return
		}
	}
	conf, _, err := image.DecodeConfig(bufio.NewReader(io.NewSectionReader(f, 0, p.size)))
	if err != nil {
		p.fail(err, "its header cannot be read")
		return
	}
	if p.w, p.h = conf.Width, conf.Height; !p.sized() {
		return
	}
	switch p.format {
	case "jpeg":
		p.checkJPEG(f, tail)
	case "png":
		p.checkPNG(f)
	default:
		p.decode(f)
	}
}

// sized judges the size.
func (p *picture) sized() bool {
	switch {
	case p.w < leastSide || p.h < leastSide:
		p.rule, p.detail = "image-small", fmt.Sprintf("%d x %d pixels", p.w, p.h)
	case p.w > bombPixels/p.h:
		p.rule, p.detail = "image-huge", fmt.Sprintf("%d x %d pixels", p.w, p.h)
	default:
		return true
	}
	return false
}

// sniff tells the format by the first bytes.
func sniff(head []byte) string {
	begins := func(s string) bool { return bytes.HasPrefix(head, []byte(s)) }
	switch {
	case begins("\xff\xd8\xff"):
		return "jpeg"
	case begins("\x89PNG\r\n\x1a\n"):
		return "png"
	case begins("BM"):
		return "bmp"
	case begins("II*\x00") || begins("MM\x00*"):
		return "tiff"
	case begins("II+\x00") || begins("MM\x00+"):
		return "bigtiff"
	case begins("RIFF") && len(head) >= 12 && string(head[8:12]) == "WEBP":
		return "webp"
	case begins("GIF8"):
		return "gif"
	case len(head) > 2 && head[0] == 'P' && (head[1] >= '1' && head[1] <= '6' || head[1] == 'F' || head[1] == 'f') && bytes.IndexByte(head[2:], '\n') >= 0:
		return "ppm"
	}
	return ""
}

// fail judges an error of a decoder: it may be the file's fault or the decoder's.
func (p *picture) fail(err error, what string) {
	var jpegUnsupported jpeg.UnsupportedError
	var tiffUnsupported tiff.UnsupportedError
	p.rule, p.detail = "image-broken", fmt.Sprintf("%s: %v", what, err)
	if errors.As(err, &jpegUnsupported) || errors.As(err, &tiffUnsupported) || errors.Is(err, bmp.ErrUnsupported) || p.format == "webp" {
		p.rule = "image-unsure"
	}
}

// checkJPEG looks for the end marker. Without it the official code decodes the picture and writes it anew, over the
// user's file, or, if that fails, leaves it out.
func (p *picture) checkJPEG(f *os.File, tail []byte) {
	if bytes.HasSuffix(tail, []byte("\xff\xd9")) || multiPicture(f) {
		return
	}
	if p.w > mostDecoded/p.h {
		p.rule, p.detail = "image-unsure", "no end marker, and too large to decode here"
		return
	}
	_, err := jpeg.Decode(bufio.NewReaderSize(io.NewSectionReader(f, 0, p.size), 1<<16))
	if err == nil {
		p.rule, p.detail = "image-restored", "bytes follow the end of the picture"
		return
	}
	if p.fail(err, "no end marker"); p.rule == "image-broken" {
		p.rule = "image-truncated"
	}
}

// multiPicture says whether a JPEG file holds several pictures (MPO), whose end the official code does not check.
func multiPicture(f *os.File) bool {
	head := make([]byte, 1<<16)
	n, _ := f.ReadAt(head, 0)
	return bytes.Contains(head[:n], []byte("MPF\x00"))
}

// checkPNG checks the sums of all chunks, as Pillow's verify does.
func (p *picture) checkPNG(f *os.File) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, 8, p.size-8), 1<<16)
	var head [8]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			p.rule, p.detail = "image-truncated", "the picture ends early"
			return
		}
		kind := string(head[4:])
		if kind == "IEND" {
			return
		}
		sum := crc32.NewIEEE()
		sum.Write(head[4:])
		length := int64(binary.BigEndian.Uint32(head[:4]))
		if length > math.MaxInt32 {
			p.rule, p.detail = "image-broken", fmt.Sprintf("chunk %q claims %d bytes", kind, length)
			return
		}
		var want [4]byte
		if _, err := io.CopyN(sum, r, length); err != nil {
			p.rule, p.detail = "image-truncated", "the picture ends early"
			return
		}
		if _, err := io.ReadFull(r, want[:]); err != nil {
			p.rule, p.detail = "image-truncated", "the picture ends early"
			return
		}
		if sum.Sum32() != binary.BigEndian.Uint32(want[:]) {
			p.rule, p.detail = "image-broken", fmt.Sprintf("the checksum of chunk %q is wrong", kind)
			return
		}
	}
}

// decode reads all of a picture whose format has no checksums. The official check would not see the damage, and
// reading it later stops the training.
func (p *picture) decode(f *os.File) {
	decoders := map[string]func(io.Reader) (image.Image, error){"bmp": bmp.Decode, "tiff": tiff.Decode, "webp": webp.Decode}
	decode, ok := decoders[p.format]
	if !ok || p.w > mostDecoded/p.h {
		return
	}
	if _, err := decode(bufio.NewReaderSize(io.NewSectionReader(f, 0, p.size), 1<<16)); err != nil {
		p.fail(err, "it cannot be decoded")
		if p.rule == "image-broken" {
			p.rule = "image-decode"
		}
	}
}
