// Package library opens other programs' shared libraries at run time and finds functions in them, so that a build needs neither
// their headers nor the libraries. It knows no library: cudnn and nccl say what they want. The driver's own is opened in package
// cuda, where functions that are missing have stand-ins.
package library
