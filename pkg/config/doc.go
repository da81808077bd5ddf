// Package config fills a struct of defaults from a file, the environment and the
// command line, each overriding the one before, and says everything that is wrong
// at once.
//
//	type Config struct {
//		DataDir string        `config:"data-dir" usage:"where everything lies"`
//		Gossip  gossip.Config `config:"gossip"`
//	}
//
//	cfg := Defaults()
//	flags := config.Flags(flagset, &cfg)
//	…parse…
//	err := config.Load(&cfg, config.Sources{File: path, Environ: os.Environ(), Flags: flags})
//
// A leaf has one name everywhere: the path gossip.listen in a YAML or JSON file,
// SMESHERY_GOSSIP_LISTEN in the environment, --gossip.listen on the command line.
// A field without a tag is named after itself in kebab case; "-" leaves it out, and
// an embedded struct without a tag adds its fields to its parent.
//
// Invariants:
//   - Nothing is ignored: an unknown key, flag or SMESHERY_ variable is a
//     problem, told with its file, line and column, and with the name that was
//     probably meant. A key that appears twice is one too.
//   - The result is valid or there is an error: Load ends with the Validate
//     methods of the struct and of everything in it, and puts the path before
//     what they say.
//   - Defaults live in the struct that is passed in, nowhere else. A null in the
//     file leaves the default.
//
// Leaves are strings, booleans, numbers, time.Duration, anything that reads itself
// from text (encoding.TextUnmarshaler), lists of those, and maps from strings.
// Secrets are file paths, so that a printed configuration shows none.
package config
