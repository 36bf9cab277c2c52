// Package model defines the detector family: its blocks, its heads, the initial weights, and [Network], the one
// object a training loop works with. It must not know how a loss is computed or how weights are updated.
//
// Start reading at [New] and [Config]; the layers of models stand in the files of package spec.
package model
