// Package telemetry measures how a trial uses its machine while it runs: memory and utilisation of GPUs
// (NVML), processor time and memory of its processes (/proc).
//
// It only samples: it knows no studies, leases nothing and prints nothing. Where there is no driver it says so in
// an error and never panics. With the environment variable MAPSWEEP_FAKE_GPUS it describes devices that do not
// exist (fake.go), so that everything else runs on a machine without GPU; GPU.Fake says so.
//
// Start with GPUs (gpu.go), then Sampler (sampler.go), which gives the metrics that the engine
// adds to every measurement. proc.go reads /proc, nvml.go asks the driver.
package telemetry
