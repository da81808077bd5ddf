// Command generate writes the dashboards, rules and runbook below the directory
// that is its argument.
package main

import (
	"fmt"
	"os"

	"github.com/smeshery/smeshery/deploy/monitoring"
)

func main() {
	if err := monitoring.Write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
