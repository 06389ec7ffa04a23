package source

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// said is a source that delivers what it is told to.
type said struct {
	Source
	deliveries chan string
}

func read(text string) (*definition.Set, definition.Errors) {
	return definition.Read("said", text, definition.Zones{"example.org."})
}

func (s said) Run(ctx context.Context, deliver func(*change.Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case text, more := <-s.deliveries:
			if !more {
				return
			}
			set, errs := read(text)
			deliver(&change.Content{Set: set, Errs: errs})
		}
	}
}

// say has the source deliver, and waits until that has had its effect.
func (s said) say(text string) {
	s.deliveries <- text
	synctest.Wait()
}

// saying returns a source that declares a text from the start, or nothing yet.
func saying(name, text string) said {
	s := said{Static(name, nil, nil), make(chan string)}
	if text != "" {
		set, errs := read(text)
		s.Source = Static(name, set, errs)
	}
	return s
}

// TestCollector: what is published of several sources.
func TestCollector(t *testing.T) {
	for _, tc := range []struct {
		name   string
		first  []string // what each source declares at the start, "" is nothing yet
		change func(sources []said)
		want   []string // what is there at the start, then what is published, each after the name of what changed
	}{
		{"a change of one of two", []string{host("a"), host("b")},
			func(s []said) { s[1].say(host("c")) },
			[]string{"a b", "1: a c"}},
		{"changes of both", []string{host("a"), host("b")},
			func(s []said) { s[1].say(host("c")); s[0].say(host("d")) },
			[]string{"a b", "1: a c", "0: c d"}},
		{"a source that comes late", []string{host("a"), ""},
			func(s []said) {
				s[0].say(host("c"))
				s[1].say(host("b"))
			},
			[]string{"nothing", "1: b c"}},
		{"a mistake stays until it is corrected", []string{host("a"), host("b")},
			func(s []said) {
				s[0].say("oops")
				s[1].say(host("c"))
				s[0].say(host("a"))
			},
			[]string{"a b", `0: b said:1: unknown word "oops": write one of alias, drain, host, mail, order, record, service, ttl`,
				`1: c said:1: unknown word "oops": write one of alias, drain, host, mail, order, record, service, ttl`, "0: a c"}},
		{"one that ends", []string{host("a"), host("b")},
			func(s []said) {
				close(s[0].deliveries)
				synctest.Wait()
				s[1].say(host("c"))
				s[1].say(host("d"))
			},
			[]string{"a b", "1: a c", "1: a d"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sources []Source
				var all []said
				for i, text := range tc.first {
					all = append(all, saying(string('0'+rune(i)), text))
					sources = append(sources, all[i])
				}
				static, _ := read("alias www a")
				c := Collect(append(sources, Static("Corefile", static, nil))...)
				got := []string{"nothing"}
				if c.Load() {
					got[0] = declared(c.Read())
				}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan bool)
				go func() {
					c.Run(ctx, func(changed *Change) {
						changed.Forget()
						set, errs := c.Read()
						if len(set.Aliases) != 1 {
							t.Errorf("%d aliases, want that of the Corefile", len(set.Aliases))
						}
						got = append(got, changed.Source.String()+": "+declared(set, errs))
					}, nil, nil)
					close(ended)
				}()
				tc.change(all)
				synctest.Wait()
				cancel()
				<-ended
				if !slices.Equal(got, tc.want) {
					t.Errorf("published %q\nwant %q", got, tc.want)
				}
			})
		})
	}
}

// TestCollectorEnds: Run returns when nothing can change any more.
func TestCollectorEnds(t *testing.T) {
	s := saying("0", host("a"))
	c := Collect(s)
	c.Load()
	close(s.deliveries)
	c.Run(t.Context(), func(*Change) { t.Error("published") }, nil, nil)
	if t.Context().Err() != nil {
		t.Error("it went on until the test ended")
	}
}

// TestCollectorEvents: events are taken between changes, also if no source can change any more.
func TestCollectorEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := saying("0", host("a"))
		c := Collect(s)
		c.Load()
		events, got := make(chan struct{}), ""
		go c.Run(t.Context(), func(*Change) { got += "change " }, events, func() { got += "event " })
		events <- struct{}{}
		s.say(host("b"))
		close(s.deliveries)
		synctest.Wait()
		events <- struct{}{}
		synctest.Wait()
		if want := "event change event "; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// texts is a source that is known from the start by what it delivers.
type texts struct {
	said
	first string
}

func textsOf(name, text string) texts { return texts{saying(name, ""), text} }

func (s texts) content(text string) *change.Content {
	reader := definition.NewReader(definition.Zones{"example.org."})
	return &change.Content{Documents: []*change.Document{change.NewDocument(s.String(), text, reader)}}
}

func (s texts) Load() *change.Content { return s.content(s.first) }

func (s texts) Run(ctx context.Context, deliver func(*change.Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case text := <-s.deliveries:
			deliver(s.content(text))
		}
	}
}

// TestPart: what is read of a change, from all sources, or that all must be read.
func TestPart(t *testing.T) {
	const mail = "mail @ 10 a\n"
	for _, tc := range []struct {
		name   string
		change func(first, second texts)
		want   []string // hosts and mail domains that are read, after "part" or "all"
	}{
		{"an exchange of another source's domain", func(first, second texts) { second.say("host a 192.0.2.9\n" + host("b") + host("c")) },
			[]string{"part a @"}},
		{"what it points to in another source", func(first, second texts) { first.say(mail + "mail x 10 b\n") },
			[]string{"part b x"}},
		{"a name in place of another", func(first, second texts) { second.say(host("a") + host("b") + host("d")) },
			[]string{"part d"}},
		{"a change after another", func(first, second texts) {
			second.say(host("a") + host("b") + host("d"))
			first.say("# nothing\n")
		}, []string{"part d", "part"}},
		{"a mistake, and its correction", func(first, second texts) {
			first.say("mail\n")
			second.say(host("a"))
			first.say(mail)
			first.say("mail @ 20 a\n")
		}, []string{"all a b c", "all a", "all a @", "part a @"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, second := textsOf("first", mail), textsOf("second", host("a")+host("b")+host("c"))
				c := Collect(Static("Corefile", new(definition.Set), nil), first, second)
				c.Load()
				c.Read()
				var got []string
				go c.Run(t.Context(), func(changed *Change) {
					how := "part"
					var part change.Part
					names, ok := changed.Apply()
					if ok {
						part, ok = change.Affected(c.Stores(), names)
					}
					if !ok {
						how = "all"
						changed.Forget()
						part.Set, _ = c.Read()
					}
					got = append(got, how+declaredBy(part.Set))
				}, nil, nil)
				tc.change(first, second)
				synctest.Wait()
				if !slices.Equal(got, tc.want) {
					t.Errorf("read %q\nwant %q", got, tc.want)
				}
			})
		})
	}
}

func host(name string) string { return "host " + name + " 192.0.2.1\n" }

// declared writes hosts by their first labels, and errors, as tests have them.
func declared(set *definition.Set, errs definition.Errors) string {
	var words []string
	for _, h := range set.Hosts {
		words = append(words, h.Owner.Labels()[0])
	}
	slices.Sort(words)
	for _, e := range errs {
		words = append(words, e.Error())
	}
	return strings.Join(words, " ")
}

// declaredBy writes hosts and mail domains by their first labels.
func declaredBy(set *definition.Set) string {
	var words string
	for _, h := range set.Hosts {
		words += " " + h.Owner.Labels()[0]
	}
	for _, m := range set.Mails {
		if m.Owner == "example.org." {
			words += " @"
			continue
		}
		words += " " + m.Owner.Labels()[0]
	}
	return words
}

// keys is a source of fragments, which delivers edits.
type keys struct {
	said
	edits chan []change.Edit
	first []change.Edit
}

func (s *keys) content(edits []change.Edit, revision int64) *change.Content {
	return &change.Content{Edits: edits, Zones: definition.Zones{"example.org."}, Revision: revision}
}

func (s *keys) Load() *change.Content { return s.content(s.first, 1) }

func (s *keys) Run(ctx context.Context, deliver func(*change.Content)) {
	for revision := int64(2); ; revision++ {
		select {
		case <-ctx.Done():
			return
		case edits := <-s.edits:
			deliver(s.content(edits, revision))
		}
	}
}

func put(key, text string) change.Edit {
	return change.Edit{Fragment: change.Fragment{Key: key, Text: text}}
}

// TestFragments: fragments live on through the deliveries of their source, and each change
// says which names and mistakes have come.
func TestFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		static := Static("Corefile", new(definition.Set), nil)
		s := &keys{said: saying("etcd", ""), edits: make(chan []change.Edit),
			first: []change.Edit{put("a", host("a")), put("b", "hots b")}}
		c := Collect(static, s)
		if c.Fragments() != nil || c.Revision() != 0 {
			t.Error("there are fragments before they are loaded")
		}
		if !c.Load() || c.Revision() != 1 || !slices.Equal(c.Sources(), []Source{static, s}) {
			t.Errorf("loaded revision %d of %v", c.Revision(), c.Sources())
		}
		if got := c.Unread(); len(got) != 1 || got[0].Source != "etcd:b" {
			t.Errorf("mistakes %v", got)
		}
		fragments := c.Fragments()
		var got []string
		go c.Run(t.Context(), func(changed *Change) {
			names, ok := changed.Apply()
			set := new(definition.Set)
			for name := range names {
				set.Hosts = append(set.Hosts, definition.Host{Head: definition.Head{Owner: name}})
			}
			got = append(got, strings.TrimSpace(declared(set, changed.Unread)))
			changed.Forget()
			if all, _ := c.Read(); !ok || c.Fragments() != fragments || declared(all, nil) != declared(c.Read()) {
				t.Errorf("%v, fragments %v, of all %v", ok, c.Fragments(), all)
			}
			if _, ok := changed.Apply(); ok {
				t.Error("names are known though all has been read")
			}
		}, nil, nil)
		for _, edits := range [][]change.Edit{
			{put("c", host("c"))},
			{put("b", host("b")), put("c", "host")},
			{{Fragment: change.Fragment{Key: "a"}, Gone: true}},
		} {
			s.edits <- edits
			synctest.Wait()
		}
		if want := []string{"c", "b c etcd:c:1: usage: host NAME ADDRESS...", "a"}; !slices.Equal(got, want) {
			t.Errorf("changed %q, want %q", got, want)
		}
		if got := declared(c.Read()); got != "b" || c.Revision() != 4 {
			t.Errorf("%q is declared at revision %d", got, c.Revision())
		}
	})
}
