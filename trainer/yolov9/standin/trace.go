package standin

import (
	"crypto/sha256"
	"fmt"
	"math"
)

// trace answers for each run what its steps did: a checksum of what the official code would read.
func trace(p plan) int {
	var answers []any
	for _, one := range p.Runs {
		one.Argv = append(one.Argv, "--exist-ok")
		s := &session{plan: one}
		full, err := begin(one)
		if err != nil {
			answers = append(answers, map[string]any{"steps": []any{}, "options": map[string]any{}, "levers": map[string]any{}, "failed": err.Error()})
			continue
		}
		s = full
		var steps []any
		for i := range max(1, p.Steps) {
			steps = append(steps, s.step(i))
		}
		answers = append(answers, map[string]any{"steps": steps, "options": s.options, "levers": s.pulled(), "env": one.Env, "failed": ""})
	}
	return write(p.Out, answers)
}

// step is what one step did. Keys that the official code ignores are in none of its parts.
func (s *session) step(i int) map[string]any {
	h := s.hyp
	input := []any{i, s.seed, s.plan.Levers["seed_images"], h["mosaic"], h["mixup"], h["fliplr"], h["scale"], s.plan.Levers["autoaugment"], s.options["batch_size"]}
	if s.plan.Levers["copy_paste_boxes"] != nil {
		input = append(input, h["copy_paste"])
	}
	loss := append([]any{h["cls_pw"], h["fl_gamma"], s.plan.Env, s.plan.Levers["gains"], s.plan.Levers["label_smoothing"]}, input...)
	floor := 100.0
	if f, ok := s.plan.Levers["warmup_floor"].(float64); ok {
		floor = f
	}
	rate := []any{i, h["lr0"], h["momentum"], h["weight_decay"], h["warmup_bias_lr"], math.Max(math.RoundToEven(h["warmup_epochs"]*3), floor)}
	weights := append(append([]any{s.seed}, loss...), rate...)
	average := append([]any{s.plan.Levers["ema"]}, weights...)
	return map[string]any{
		"hashes": map[string]string{"input": sum(input), "loss": sum(loss), "gradient": sum(loss), "lr": sum(rate), "weights": sum(weights), "average": sum(average)},
		"values": map[string][]float64{"lr": {h["lr0"]}},
	}
}

func sum(v []any) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprintf("%v", v))))[:16] }
