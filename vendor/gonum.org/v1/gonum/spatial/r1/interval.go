// Copyright ©2019 The Gonum Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package r1

// Interval represents an interval.
type Interval struct {
	Min, Max float64
}
