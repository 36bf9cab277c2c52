package native

import (
	"crypto/sha256"
	"fmt"

	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trials"
)

// architecture is the model that a Backend trains, read once.
type architecture struct {
	file     *spec.File
	name     string  // for provenance and checkpoints; that of a user's file ends in its hash
	multiple int     // what image sizes must be multiples of
	weight   float64 // of the auxiliary head's loss, unless a job says otherwise
	dual     bool    // there is an auxiliary head
	own      bool    // it is a user's file, and not built in
}

// openArchitecture reads a model by name or path and checks it.
func openArchitecture(name string) (architecture, error) {
	f, err := spec.Open(name)
	if err != nil {
		return architecture{}, err
	}
	m, err := f.Resolve(spec.Options{Classes: 1})
	if err != nil {
		return architecture{}, err
	}
	d := architecture{file: f, name: f.Name, multiple: m.Multiple(), weight: m.Head.Weight, dual: m.Head.Dual}
	if d.own = spec.IsPath(name); d.own {
		d.name = fmt.Sprintf("%s@%x", f.Name, sha256.Sum256(f.Source))[:len(f.Name)+13]
	}
	return d, nil
}

// resolve decodes a job's parameters, with the model's own default for the weight of its auxiliary head.
func (d architecture) resolve(params trials.Params) (settings, trials.Params, error) {
	if v, ok := trials.Number(params["aux"]); ok && v > 0 && !d.dual {
		return settings{}, nil, infeasible(fmt.Errorf("aux is %g: %s", v, d.noAux()))
	}
	return resolve(d.knobs(), params)
}

func (d architecture) noAux() string {
	return fmt.Sprintf("model %s has no auxiliary head, so that only 0 is possible", d.name)
}

// knobs is the table of knobs with the model's default and range of aux.
func (d architecture) knobs() []knob {
	all := knobs()
	for i := range all {
		if k := &all[i]; k.Name == "aux" {
			k.Default = d.weight
			if !d.dual {
				k.High, k.Help = 0, d.noAux()
			}
		}
	}
	return all
}

// source is the model file for a checkpoint, which is to be read where the file is not; "" for a model that is built in.
func (d architecture) source() string {
	if !d.own {
		return ""
	}
	return string(d.file.Source)
}
