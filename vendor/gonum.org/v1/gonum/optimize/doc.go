// Copyright ©2015 The Gonum Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package optimize implements algorithms for finding the optimum value of functions.
package optimize // import "gonum.org/v1/gonum/optimize"
