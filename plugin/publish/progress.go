package publish

import (
	"fmt"
	"sync"
	"time"
)

// A Progress logs what a load is doing when it takes long. The zero value logs nothing.
type Progress struct {
	Log func(text string)

	mu    sync.Mutex
	step  string
	start time.Time
	timer *time.Timer
}

// longLoad is after how long a load logs what it is doing, again and again.
const longLoad = 3 * time.Second

// Doing notes the step that begins; "" is the end.
func (p *Progress) Doing(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case step == "" && p.timer != nil:
		p.timer.Stop()
		p.timer = nil
	case step != "" && p.timer == nil:
		p.start = time.Now()
		p.timer = time.AfterFunc(longLoad, p.log)
	}
	p.step = step
}

func (p *Progress) log() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil && p.Log != nil {
		p.Log(fmt.Sprintf("still %s, %v after the start", p.step, time.Since(p.start).Round(time.Second)))
		p.timer.Reset(longLoad)
	}
}
