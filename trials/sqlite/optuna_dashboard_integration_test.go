//go:build integration

package sqlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOptunaDashboard starts optuna-dashboard on a database of ours, while it is open, and looks at what it serves.
func TestOptunaDashboard(t *testing.T) {
	withOptuna(t, func(t *testing.T, _, python string) {
		path := filepath.Join(t.TempDir(), "x.db")
		d := openDB(t, path)
		defer d.Close()
		best, _ := writeDeep(t, d)
		site := startDashboard(t, filepath.Join(filepath.Dir(python), "optuna-dashboard"), path)

		var list struct {
			Studies []struct {
				ID         int    `json:"study_id"`
				Name       string `json:"study_name"`
				Directions []string
			} `json:"study_summaries"`
		}
		body := get(t, site+"/api/studies")
		must(t, json.Unmarshal(body, &list))
		if len(list.Studies) != 2 || list.Studies[0].Name != "single" || list.Studies[1].Name != "several" || fmt.Sprint(list.Studies[1].Directions) != "[maximize minimize]" {
			t.Errorf("studies: %s", body)
		}
		var study struct {
			Name   string `json:"name"`
			Trials []struct {
				Number       int
				State        string
				Values       []float64
				Params       []struct{ Name string }
				Intermediate []struct {
					Step  int
					Value any
				} `json:"intermediate_values"`
			}
			Best  []struct{ Number int }  `json:"best_trials"`
			Space []struct{ Name string } `json:"union_search_space"`
		}
		body = get(t, site+"/api/studies/1")
		must(t, json.Unmarshal(body, &study))
		if study.Name != "single" || len(study.Trials) != deepAll || len(study.Best) != 1 || study.Best[0].Number != best || len(study.Space) != 3 {
			t.Errorf("study: %.1000s", body)
		}
		for i, tr := range study.Trials {
			want := "Complete"
			switch {
			case i == deepComplete:
				want = "Pruned"
			case i == deepComplete+1:
				want = "Fail"
			case i > deepComplete+1:
				want = "Waiting"
			}
			if tr.Number != i || tr.State != want || i < deepComplete && (len(tr.Params) != 3 || len(tr.Intermediate) != 3 || len(tr.Values) != 1 || tr.Values[0] != deepScore(deepPoint(i).Params)) {
				t.Errorf("trial %d: %+v", i, tr)
			}
		}
		var shares struct {
			Importances [][]struct {
				Name       string
				Importance float64
			} `json:"param_importances"`
		}
		body = get(t, site+"/api/studies/1/param_importances")
		must(t, json.Unmarshal(body, &shares))
		if len(shares.Importances) != 1 || len(shares.Importances[0]) != 3 {
			t.Errorf("importances: %s", body)
		}
		if page := string(get(t, site+"/dashboard")); !strings.Contains(strings.ToLower(page), "<html") || !strings.Contains(page, "Optuna Dashboard") {
			t.Errorf("page: %.500s", page)
		}
	})
}

// startDashboard starts the program on a free port of this machine and waits until it answers; it is killed with the test.
func startDashboard(t *testing.T, program, path string) (site string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	must(t, free.Close())
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, "--host", "127.0.0.1", "--port", fmt.Sprint(port), "--server", "wsgiref", "sqlite:///"+path)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		stop() // kills this process, by its ID
		<-ended
	})
	site = fmt.Sprintf("http://127.0.0.1:%d", port)
	for wait := time.Now().Add(time.Minute); time.Now().Before(wait); time.Sleep(200 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the dashboard ended: %v\n%s", err, said.String())
		default:
		}
		if r, err := http.Get(site + "/api/studies"); err == nil {
			_ = r.Body.Close()
			return site
		}
	}
	t.Fatal("the dashboard does not answer")
	return ""
}

// get reads a page that must be there.
func get(t *testing.T, url string) []byte {
	t.Helper()
	r, err := http.Get(url)
	must(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	must(t, err)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s\n%.500s", url, r.Status, body)
	}
	return body
}
