package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// Variables that make the test binary do something with a database as another process.
const (
	childDoes = "MAPSWEEP_TEST_CHILD"
	childPath = "MAPSWEEP_TEST_PATH"
	childWith = "MAPSWEEP_TEST_WITH"
)

// children are what such a process can do. It says "error: ..." if that fails.
var children = map[string]func(ctx context.Context, path, with string) error{
	"hold":    hold,
	"fill":    fillLimited,
	"work":    workBeside,
	"start":   startKilled,
	"squeeze": openSqueezed,
}

func childMain(does string) int {
	if err := children[does](context.Background(), os.Getenv(childPath), os.Getenv(childWith)); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// hold runs a statement that takes a lock, says so, and keeps the lock until standard input ends.
func hold(ctx context.Context, path, statement string) error {
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, statement); err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startHold starts a process that holds a lock; release lets it end.
func startHold(t *testing.T, path, statement string) (release func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDoes+"=hold", childPath+"="+path, childWith+"="+statement)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // an error: it has ended
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "held\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return func() {
		must(t, in.Close())
		must(t, cmd.Wait())
	}
}

// workBeside enqueues and runs trials beside Optuna: with is "number of the process:how many".
func workBeside(ctx context.Context, path, with string) error {
	var number, n int
	if _, err := fmt.Sscanf(with, "%d:%d", &number, &n); err != nil {
		return err
	}
	d, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	for i := range n {
		key := fmt.Sprintf("%d-%d", number, i)
		tr, err := d.Start(ctx, 1, "host/"+strconv.Itoa(number)+"/0", trials.Suggestion{Key: key, Params: trials.Params{"lr0": besidePoint(number, i)},
			Space: trials.Space{{Name: "lr0", Kind: trials.Float, Low: 0.001, High: 0.1, Log: true}}})
		if err != nil {
			return err
		}
		if tr.Key != key {
			return fmt.Errorf("enqueued %s and got %s", key, tr.Key)
		}
		for e := 1; e <= 3; e++ {
			if err := d.Record(ctx, tr.ID, trials.Measurement{Epoch: e, Metrics: map[string]float64{"mAP50-95": float64(e)}}); err != nil {
				return err
			}
		}
		if err := d.Finish(ctx, tr.ID, trials.Outcome{State: trials.Complete, Values: []float64{besidePoint(number, i)}}); err != nil {
			return err
		}
	}
	return d.Close()
}

func besidePoint(number, i int) float64 { return 0.001 + float64(number)*0.01 + float64(i)*1e-5 }
