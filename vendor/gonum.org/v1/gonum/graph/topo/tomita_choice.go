// Copyright ©2015 The Gonum Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build tomita
// +build tomita

package topo

const tomitaTanakaTakahashi = true
