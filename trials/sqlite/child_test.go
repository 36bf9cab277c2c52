package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// Variables that make the test binary do something with a database as another process.
const (
	childDoes = "MAPSWEEP_TEST_CHILD"
	childPath = "MAPSWEEP_TEST_PATH"
	childWith = "MAPSWEEP_TEST_WITH"
)

// children are what such a process can do. It says "error: ..." if that fails.
var children = map[string]func(ctx context.Context, path, with string) error{
	"hold": hold,
	"fill": fillLimited,
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
