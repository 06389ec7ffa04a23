package table

import (
	"hash/maphash"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// names finds the node of a name. A map would do, but for a million names it takes twice the memory and seven cache
// misses where this takes three, and the garbage collector has to visit every name.
//
// It is a hash table with open addressing: a name is in the slot that its hash says, or in one of those after it,
// before the first that is empty.
type names struct {
	seed  maphash.Seed
	slots []slot
	nodes []node // by number of the owner, then the empty non-terminals; once compiled, by zone
	text  []byte // all names, one after the other
}

// A slot refers to a node. One without hash and node is empty.
type slot struct {
	hash uint32
	node uint32 // index into nodes, plus 1
}

// A node is a name that exists, with its entries. One without entries is an empty non-terminal.
type node struct {
	name   uint32 // where it starts in text
	first  uint32 // of its entries
	count  uint16 // of its entries, one a type
	length uint8  // of the name, which has no more than 254 characters
	cut    bool   // it delegates: it has NS records, and is not the apex of its zone
}

// newNames makes nodes of the owners in an index, and of empty non-terminals.
func newNames(index *definition.Index, nonTerminals []definition.Name) names {
	count, octets := index.Len()+len(nonTerminals), 0
	for o := range index.Owners() {
		octets += len(o.Name())
	}
	for _, name := range nonTerminals {
		octets += len(name)
	}
	n := names{
		seed:  maphash.MakeSeed(),
		slots: make([]slot, count+count/2+1),
		nodes: make([]node, 0, count),
		text:  make([]byte, 0, octets),
	}
	for o := range index.Owners() {
		n.add(o.Name())
	}
	for _, name := range nonTerminals {
		n.add(name)
	}
	return n
}

// add adds a node for a name that has none.
func (n *names) add(name definition.Name) {
	n.nodes = append(n.nodes, node{name: uint32(len(n.text)), length: uint8(len(name))})
	n.text = append(n.text, name...)
	if len(n.slots) <= len(n.nodes)+len(n.nodes)/4 {
		n.grow()
	}
	n.put(slot{n.hash(string(name)), uint32(len(n.nodes))})
}

// grow doubles the slots: in full ones searches are long.
func (n *names) grow() {
	before := n.slots
	n.slots = make([]slot, 2*len(before))
	for _, s := range before {
		if s.node != 0 {
			n.put(s)
		}
	}
}

// move moves the node at each index to another one, in place: a copy of a million nodes would need room beside them.
// Afterwards to is in order.
func (n *names) move(to []uint32) {
	for i := range n.slots {
		if s := &n.slots[i]; s.node != 0 {
			s.node = to[s.node-1] + 1
		}
	}
	for i := range to {
		for j := to[i]; int(j) != i; j = to[i] {
			n.nodes[i], n.nodes[j] = n.nodes[j], n.nodes[i]
			to[i], to[j] = to[j], to[i]
		}
	}
}

func (n *names) put(s slot) {
	i := n.at(s.hash)
	for n.slots[i].node != 0 {
		i = n.after(i)
	}
	n.slots[i] = s
}

func (n *names) hash(name string) uint32 { return uint32(maphash.String(n.seed, name)) }

// at returns where to begin to search for a hash.
func (n *names) at(hash uint32) int { return int(uint64(hash) * uint64(len(n.slots)) >> 32) }

func (n *names) after(i int) int {
	if i++; i < len(n.slots) {
		return i
	}
	return 0
}

// find returns the node of a name, or nil if there is no such name.
func (n *names) find(name string) *node {
	hash := n.hash(name)
	for i := n.at(hash); n.slots[i].node != 0; i = n.after(i) {
		if n.slots[i].hash != hash {
			continue
		}
		if found := &n.nodes[n.slots[i].node-1]; string(n.textOf(found)) == name {
			return found
		}
	}
	return nil
}

func (n *names) exists(name definition.Name) bool { return n.find(string(name)) != nil }

// textOf returns the name of a node, without making a string.
func (n *names) textOf(x *node) []byte { return n.text[x.name : x.name+uint32(x.length)] }

func (n *names) nameOf(x *node) definition.Name { return definition.Name(n.textOf(x)) }
