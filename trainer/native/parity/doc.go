// Package parity holds the tests that compare this trainer with PyTorch, number by number. testdata/torch has the same
// models, loss and optimiser written in PyTorch; fixture.py there computes what the tests compare with, in a temporary
// directory. They need the build tag integration and a Python with torch:
//
//	eval "$(.ci/torch.sh)" && go test -tags integration -v -timeout 60m ./trainer/native/parity
//
// Start reading at parity_test.go; learning_test.go has whole trainings beside PyTorch's, on the same batches.
package parity
