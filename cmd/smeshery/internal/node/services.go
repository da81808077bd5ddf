package node

// Services are the names of all services of a live node, in the order of their
// start.
func Services() []string {
	var out []string
	for _, m := range live() {
		out = append(out, m.name)
	}
	return out
}
