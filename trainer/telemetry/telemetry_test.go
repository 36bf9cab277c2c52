package telemetry_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

func describe(gpus []telemetry.GPU) string {
	var parts []string
	for _, g := range gpus {
		parts = append(parts, fmt.Sprintf("%s %s %d/%d %.2f", g.Device(), g.Name, g.FreeMiB, g.TotalMiB, g.Utilisation))
	}
	return strings.Join(parts, "; ")
}

func TestFake(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ setting, want, err string }{
		{"2xA100-40GB,1xRTX4090", "cuda:0 A100-40GB 40660/40960 0.00; cuda:1 A100-40GB 40660/40960 0.00; cuda:2 RTX4090 24276/24576 0.00", ""},
		{"H100", "cuda:0 H100 81620/81920 0.00", ""},
		{" 1xMine-8G ", "cuda:0 Mine-8G 7892/8192 0.00", ""},
		{file("a.json", `{"gpus":[{"name":"One","memory_mib":1000,"used_mib":[100],"utilisation":[0.9],"processes":[{"pid":1,"mib":100}]},{"memory_mib":2000}]}`),
			"cuda:0 One 900/1000 0.90; cuda:1 GPU 1700/2000 0.00", ""},
		{"none", "", "says none"},
		{"mine", "", "write it behind the name"},
		{"0xA100", "", "from 1 to 64"},
		{"65xA100", "", "from 1 to 64"},
		{"99999999999999999999xA100", "", "from 1 to 64"},
		{"A100,", "", "no list of devices"},
		{"../x", "", "no list of devices"},
		{file("b.json", `{"gpus":[{"name":"One"}]}`), "", "no memory_mib"},
		{file("c.json", `{"gpus":[]}`), "", "lists no device"},
		{file("d.json", `[`), "", "d.json"},
		{filepath.Join(dir, "absent.json"), "", "no such file"},
	} {
		t.Setenv(telemetry.EnvFake, c.setting)
		gpus, err := telemetry.GPUs()
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want %q", c.setting, err, c.err)
			}
			if none := strings.Contains(c.err, "none") || strings.Contains(c.err, "no device"); errors.Is(err, telemetry.ErrNone) != none {
				t.Errorf("%s: %v: is ErrNone is %v", c.setting, err, !none)
			}
			continue
		}
		if got := describe(gpus); err != nil || got != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.setting, err, got, c.want)
		}
		for _, g := range gpus {
			if !g.Fake || !strings.Contains(g.String(), "FAKE") {
				t.Errorf("%s does not say that it is fake", g)
			}
		}
	}
}

// Scripted values go on by one with every listing, and the file may change meanwhile.
func TestFakeScript(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gpus.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"gpus":[{"name":"One","memory_mib":100000,"used_mib":[` + strings.Repeat("10,", 20) + `20]}]}`)
	t.Setenv(telemetry.EnvFake, path)
	gpus, err := telemetry.GPUs()
	if err != nil || gpus[0].UsedMiB() != 10 {
		t.Fatalf("%v %v", gpus, err)
	}
	for range 21 {
		gpus, _ = telemetry.GPUs()
	}
	if gpus[0].UsedMiB() != 20 {
		t.Errorf("after all %d MiB are in use, want the last of the list", gpus[0].UsedMiB())
	}
	write(`{"gpus":[{"name":"Two","memory_mib":100000}]}`)
	if gpus, _ = telemetry.GPUs(); gpus[0].Name != "Two" {
		t.Error("the file was not read again")
	}
}

// needsProc skips a test where there is no /proc.
func needsProc(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
}

// child starts a program with an environment of its own that ends with the test.
func child(t *testing.T, script string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "TMPDIR="+os.Getenv("TMPDIR"), telemetry.EnvFake+"="+os.Getenv(telemetry.EnvFake))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // with all that it started
		_ = cmd.Wait()
	})
	return cmd
}

// eventually waits for something that other processes do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s did not come about", what)
}

// A program that plays a trainer holds memory on the devices that it sees, once, whatever it starts.
func TestFakeHolders(t *testing.T) {
	needsProc(t)
	t.Setenv(telemetry.EnvFake, "3xA100-40GB")
	t.Setenv("TMPDIR", t.TempDir())
	cmd := child(t, "sleep 60 & sleep 60 & wait", telemetry.EnvFakeMiB+"=9000", "CUDA_VISIBLE_DEVICES=0,GPU-fake-2")
	var gpus []telemetry.GPU
	eventually(t, "use of two devices", func() bool {
		gpus, _ = telemetry.GPUs()
		return gpus[0].UsedMiB() == 9300 && gpus[2].UsedMiB() == 9300
	})
	time.Sleep(50 * time.Millisecond) // by now it has its children
	gpus, _ = telemetry.GPUs()
	if gpus[0].UsedMiB() != 9300 || gpus[1].UsedMiB() != 300 || gpus[0].Utilisation != 0.5 || gpus[1].Utilisation != 0 {
		t.Errorf("%s", describe(gpus))
	}
	if len(gpus[0].Processes) != 1 || gpus[0].Processes[0].PID != cmd.Process.Pid {
		t.Errorf("processes %+v, want the topmost, %d", gpus[0].Processes, cmd.Process.Pid)
	}
	t.Setenv("TMPDIR", t.TempDir())
	if gpus, _ = telemetry.GPUs(); gpus[0].UsedMiB() != 300 {
		t.Error("a program on another fake machine is seen here")
	}
}

// fixedGPUs is a device whose figures a test sets.
type fixedGPUs struct {
	mu sync.Mutex
	g  telemetry.GPU
	no error
}

func (f *fixedGPUs) list() ([]telemetry.GPU, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []telemetry.GPU{f.g}, f.no
}

func (f *fixedGPUs) set(used int64, use float64, ps ...telemetry.Process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.g.FreeMiB, f.g.Utilisation, f.g.Processes = f.g.TotalMiB-used, use, ps
}

const rarely = 500 * time.Millisecond

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestSamplerGPU(t *testing.T) {
	f := &fixedGPUs{g: telemetry.GPU{Index: 1, TotalMiB: 10000}}
	f.set(1000, 0)
	s := telemetry.NewSampler(f.list, 10*time.Millisecond)
	w := s.Watch(telemetry.Target{Devices: []string{"cuda:1"}, Cores: 1})
	defer w.Close()
	f.set(6000, 0.8)
	time.Sleep(50 * time.Millisecond)
	f.set(3000, 0.8)
	time.Sleep(50 * time.Millisecond)
	m := w.Take()
	if m["gpu/memory"] != 0.6 || m["gpu/memory-mib"] != 5000 || !near(m["gpu/utilisation"], 0.8) || m["time/epoch"] < 0.1 {
		t.Errorf("%v: want the peak of 6000 of 10000 MiB, 5000 of them the trial's", m)
	}
	time.Sleep(50 * time.Millisecond)
	if m = w.Take(); m["gpu/memory"] != 0.3 || m["gpu/memory-mib"] != 2000 || m["time/epoch"] > 5 {
		t.Errorf("second window %v: peaks are of the window", m)
	}
	if peak, ok := w.PeakMiB(); peak != 5000 || !ok {
		t.Errorf("peak %d: it is of the whole trial", peak)
	}
	f.set(3000, math.NaN())
	time.Sleep(50 * time.Millisecond)
	w.Take()
	time.Sleep(50 * time.Millisecond)
	if m = w.Take(); !near(m["gpu/memory"], 0.3) {
		t.Errorf("%v", m)
	} else if _, ok := m["gpu/utilisation"]; ok {
		t.Errorf("%v: a utilisation that is not known is absent", m)
	}
	// A driver that stops answering gives no figures, and no zeros either.
	f.mu.Lock()
	f.no = errors.New("driver is gone")
	f.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	w.Take()
	if m = w.Take(); len(m) != 1 || m["time/epoch"] < 0 {
		t.Errorf("without a driver: %v", m)
	}
}

// Two trials on a device: what each holds is what the driver says of its processes, or is not known.
func TestSamplerShared(t *testing.T) {
	needsProc(t)
	f := &fixedGPUs{g: telemetry.GPU{Index: 0, TotalMiB: 10000}}
	f.set(300, 0)
	s := telemetry.NewSampler(f.list, 10*time.Millisecond)
	a, b := child(t, "sleep 60"), child(t, "sleep 60")
	one := s.Watch(telemetry.Target{Devices: []string{"cuda:0"}, PIDs: []int{a.Process.Pid}})
	two := s.Watch(telemetry.Target{Devices: []string{"cuda:0"}, PIDs: []int{b.Process.Pid}})
	defer one.Close()
	defer two.Close()
	f.set(5300, 0.5)
	time.Sleep(60 * time.Millisecond)
	if m := one.Take(); m["gpu/memory"] != 0.53 {
		t.Errorf("%v", m)
	} else if _, ok := m["gpu/memory-mib"]; ok {
		t.Errorf("%v: nobody can tell whose memory it is", m)
	}
	f.set(5300, 0.5, telemetry.Process{PID: a.Process.Pid, MiB: 2000}, telemetry.Process{PID: b.Process.Pid, MiB: 3000})
	time.Sleep(60 * time.Millisecond)
	if m, n := one.Take(), two.Take(); m["gpu/memory-mib"] != 2000 || n["gpu/memory-mib"] != 3000 {
		t.Errorf("%v and %v", m, n)
	}
}

// Processes are found by the mark in their environment, with what they start, and counted whole when they have ended.
func TestSamplerHost(t *testing.T) {
	needsProc(t)
	dir := t.TempDir()
	s := telemetry.NewSampler(nil, 20*time.Millisecond)
	w := s.Watch(telemetry.Target{Dir: dir, Cores: 1})
	defer w.Close()
	// An outer program without mark starts the marked one, whose child burns time and clears its own environment.
	child(t, telemetry.EnvDir+"="+dir+" sh -c 'env -i sh -c \"i=0; while [ \\$i -lt 30000000 ]; do i=\\$((i+1)); done\" & wait'")
	child(t, "i=0; while [ $i -lt 30000000 ]; do i=$((i+1)); done") // not the trial's
	time.Sleep(rarely)
	w.Take()
	time.Sleep(rarely)
	m := w.Take()
	if m["cpu/utilisation"] < 0.05 || m["cpu/utilisation"] > 1.5 {
		t.Errorf("cpu/utilisation %v of one busy process on one core", m["cpu/utilisation"])
	}
	if m["host/memory-mib"] <= 0 || m["host/memory-mib"] > 200 {
		t.Errorf("host/memory-mib %v of three shells", m["host/memory-mib"])
	}
	if _, ok := m["gpu/memory"]; ok {
		t.Errorf("%v: no GPU was leased", m)
	}
	none := s.Watch(telemetry.Target{Dir: t.TempDir(), Cores: 1})
	defer none.Close()
	time.Sleep(60 * time.Millisecond)
	if m := none.Take(); len(m) != 1 {
		t.Errorf("a trial without processes of its own: %v", m)
	}
}

// The time of children that have ended stays counted, once.
func TestSamplerEnded(t *testing.T) {
	needsProc(t)
	dir := t.TempDir()
	s := telemetry.NewSampler(nil, 10*time.Millisecond)
	w := s.Watch(telemetry.Target{Dir: dir, Cores: 1})
	defer w.Close()
	began := time.Now()
	cmd := child(t, "for i in 1 2 3 4; do sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; done; sleep 60", telemetry.EnvDir+"="+dir)
	time.Sleep(1500 * time.Millisecond)
	m := w.Take()
	used := m["cpu/utilisation"] * time.Since(began).Seconds()
	// What the kernel says of the children that the shell has waited for (ticks of 10 ms).
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var ticks [4]float64
	for i := range ticks {
		fmt.Sscan(f[11+i], &ticks[i])
	}
	want := (ticks[0] + ticks[1] + ticks[2] + ticks[3]) / 100
	if want < 0.02 {
		t.Skipf("the children used only %v s", want)
	}
	if used < 0.6*want || used > 1.4*want+0.05 {
		t.Errorf("counted %.2f s of processor time, the kernel %.2f s", used, want)
	}
}

func TestSamplerRests(t *testing.T) {
	calls := 0
	var mu sync.Mutex
	s := telemetry.NewSampler(func() ([]telemetry.GPU, error) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		return nil, telemetry.ErrNone
	}, 5*time.Millisecond)
	w := s.Watch(telemetry.Target{Devices: []string{"cuda:0"}})
	time.Sleep(30 * time.Millisecond)
	w.Close()
	w.Close()
	mu.Lock()
	before := calls
	mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	if before == 0 || calls > before+1 {
		t.Errorf("%d samples, then %d more although nothing is watched", before, calls-before)
	}
}
