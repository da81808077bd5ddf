package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/network"
)

// manifestFile describes a recording.
const manifestFile = "manifest.json"

// Manifest describes a network, and a recording's files. The file of --config
// is one too, without files.
type Manifest struct {
	// Network, Software, Nodes, Poets, ATXVersions and Hare are remarks.
	Network     string          `json:"network"`
	Software    string          `json:"software"`
	Nodes       int             `json:"nodes"`
	Poets       int             `json:"poets"`
	ATXVersions json.RawMessage `json:"atx_versions"`
	Hare        string          `json:"hare"`

	// Preset is the built-in network that Overrides change.
	Preset string `json:"preset"`
	// Overrides are sections of a go-spacemesh configuration.
	Overrides map[string]json.RawMessage `json:"overrides"`

	GenesisTime      *time.Time        `json:"genesis_time"`
	GenesisExtraData string            `json:"genesis_extra_data"`
	GenesisAccounts  map[string]uint64 `json:"genesis_accounts"`

	// Files counts the rows of each file of a recording.
	Files map[string]int `json:"files"`
}

// maxManifest bounds the file in bytes.
const maxManifest = 16 << 20

// ReadManifest reads a manifest; keys that it does not know are an error.
func ReadManifest(path string) (*Manifest, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, &Error{Path: path, Err: plain(err)}
	}
	if st.Size() > maxManifest {
		return nil, &Error{Path: path, Err: fmt.Errorf("longer than %d bytes", maxManifest)}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{Path: path, Err: plain(err)}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	m := new(Manifest)
	if err := dec.Decode(m); err != nil {
		return nil, &Error{path, lineAt(raw, dec.InputOffset()), jsonError(err)}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{path, lineAt(raw, dec.InputOffset()), errors.New("something follows the JSON object")}
	}
	return m, nil
}

func lineAt(raw []byte, offset int64) int {
	return 1 + bytes.Count(raw[:min(int(offset), len(raw))], []byte("\n"))
}

func jsonError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is cut short")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// Params are the network's numbers: the preset, then the overrides, then genesis.
func (m *Manifest) Params() (network.Params, error) {
	preset := m.Preset
	if preset == "" {
		return network.Params{}, errors.New("preset is missing")
	}
	p, err := network.Preset(preset)
	if err != nil {
		return p, err
	}
	if err := override(&p, m.Overrides); err != nil {
		return p, err
	}
	if m.GenesisTime != nil {
		p.Genesis.Time = m.GenesisTime.UTC()
	}
	if m.GenesisExtraData != "" {
		p.Genesis.ExtraData = m.GenesisExtraData
	}
	if m.GenesisAccounts != nil {
		p.Genesis.Accounts = genesisAccounts(m.GenesisAccounts)
	}
	return p, validate(&p)
}

// validate finds what no node would have started with.
func validate(p *network.Params) error {
	var problems []error
	if p.Genesis.Time.IsZero() {
		problems = append(problems, errors.New("genesis_time is missing"))
	}
	if p.LayersPerEpoch == 0 || p.LayerDuration <= 0 {
		problems = append(problems, errors.New("main.layers-per-epoch and main.layer-duration must be more than zero"))
	}
	if p.TickSize == 0 {
		problems = append(problems, errors.New("main.tick-size must be more than zero"))
	}
	if p.LayersPerEpoch > 0 && p.EligibilityConfidence >= p.LayersPerEpoch {
		problems = append(problems, errors.New("hare-eligibility.eligibility-confidence-param must be smaller than main.layers-per-epoch"))
	}
	if err := p.Genesis.Validate(); err != nil {
		problems = append(problems, err)
	}
	for _, a := range p.Genesis.Accounts {
		if _, err := address.Parse(p.HRP, a.Address); err != nil {
			problems = append(problems, fmt.Errorf("genesis account %s: %w", a.Address, err))
		}
	}
	return errors.Join(problems...)
}
