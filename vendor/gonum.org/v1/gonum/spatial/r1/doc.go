// Copyright ©2019 The Gonum Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package r1 provides 1D vectors and intervals and operations on them.
package r1 // import "gonum.org/v1/gonum/spatial/r1"
