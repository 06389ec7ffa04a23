package mxsrv

import (
	"sync"
	"time"
)

// progress logs what a load is doing when it takes long.
type progress struct {
	mu    sync.Mutex
	step  string
	start time.Time
	timer *time.Timer
}

// longLoad is after how long a load says what it is doing, again and again.
const longLoad = 3 * time.Second

// doing notes the step that begins; "" is the end.
func (p *progress) doing(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case step == "" && p.timer != nil:
		p.timer.Stop()
		p.timer = nil
	case step != "" && p.timer == nil:
		p.start = time.Now()
		p.timer = time.AfterFunc(longLoad, p.say)
	}
	p.step = step
}

func (p *progress) say() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		log.Infof("still %s, %v after the start", p.step, time.Since(p.start).Round(time.Second))
		p.timer.Reset(longLoad)
	}
}
