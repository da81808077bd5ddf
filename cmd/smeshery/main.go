// Command smeshery runs Spacemesh identities by the thousand; see docs/.
package main

import (
	"os"

	"github.com/smeshery/smeshery/cmd/smeshery/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
