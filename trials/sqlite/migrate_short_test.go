//go:build !soak

package sqlite_test

// Of the points at which a migration is killed, and at which a statement of it fails.
const killEvery, refuseEvery = 11, 5
