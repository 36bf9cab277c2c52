package sweep

import (
	"maps"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
	"github.com/mapsweep/mapsweep/trials"
)

// watchUse begins to measure how a trial uses its machine; nil without a sampler.
func (r *run) watchUse(job trainer.Job, lease local.Lease) *telemetry.Watch {
	if r.Sampler == nil {
		return nil
	}
	return r.Sampler.Watch(telemetry.Target{Devices: lease.Devices, Cores: lease.Threads, Dir: job.Dir})
}

// withUse adds to a measurement what the machine was used for since the one before. What the trainer itself
// reports goes first. before is the measurement of the same epoch if it is reported again, else nil.
func withUse(m trials.Measurement, use map[string]float64, before *trials.Measurement) trials.Measurement {
	m.Metrics = maps.Clone(m.Metrics)
	if m.Metrics == nil {
		m.Metrics = map[string]float64{}
	}
	for name, v := range use {
		if _, reported := m.Metrics[name]; reported {
			continue
		}
		if before != nil {
			old := before.Metrics[name]
			if v = max(v, old); name == telemetry.MetricTime {
				v = use[name] + old
			}
		}
		m.Metrics[name] = v
	}
	return m
}

// trained adds to a measurement how long the trial has trained up to it, if it is known how long an epoch took: the times
// of its epochs, those of earlier starts included. earlier are the measurements so far.
func trained(m trials.Measurement, earlier []trials.Measurement) trials.Measurement {
	total, known := m.Metrics[telemetry.MetricTime]
	if _, reported := m.Metrics[telemetry.MetricTrain]; reported || !known {
		return m
	}
	for _, o := range earlier {
		if o.Epoch < m.Epoch {
			total += o.Metrics[telemetry.MetricTime]
		}
	}
	m.Metrics = maps.Clone(m.Metrics)
	m.Metrics[telemetry.MetricTrain] = total
	return m
}

// peak is the most GPU memory that a trial held on one device, by its trainer or as it was sampled; false: not known. What a
// trainer in this process tells goes first: the driver cannot tell the trials of one process apart.
func peak(w *telemetry.Watch, res trainer.Result, f *trainer.Failure) (most int64, known bool) {
	if res.PeakMiB > 0 {
		return res.PeakMiB, true
	}
	if w != nil {
		most, known = w.PeakMiB()
	}
	if f != nil && f.PeakMiB > 0 {
		most, known = max(most, f.PeakMiB), true
	}
	return most, known
}

// learn tells the pool what a trial of the study needed. One that needs none at all can share a device, too.
func (r *run) learn(peakMiB int64) { r.pool.Learn(max(1, peakMiB)) }

// learnPeaks tells the pool what the trials of the study needed so far.
func (r *run) learnPeaks(ts []trials.Trial) {
	for _, t := range ts {
		if n, ok := t.Integer(trials.AttrPeakMiB); ok && (t.State == trials.Complete || t.State == trials.Pruned) {
			r.learn(n)
		}
	}
}
