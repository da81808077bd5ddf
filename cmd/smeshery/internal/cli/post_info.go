package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/smeshery/smeshery/pkg/post"
	"github.com/smeshery/smeshery/pkg/post/postdata"
)

// spaceInfo is what info tells of a directory.
type spaceInfo struct {
	Identity      string  `json:"identity"`
	Commitment    string  `json:"commitment"`
	Units         uint32  `json:"num_units"`
	LabelsPerUnit uint64  `json:"labels_per_unit"`
	Files         uint64  `json:"files"`
	MaxFileSize   uint64  `json:"max_file_size"`
	Labels        uint64  `json:"labels"`
	OnDisk        uint64  `json:"labels_on_disk"`
	Nonce         *uint64 `json:"nonce"`
	Complete      bool    `json:"complete"`
	Key           bool    `json:"identity_key"`
}

func postInfo(_ context.Context, e *env, args []string) (int, error) {
	f := newPostFlags(e, "info", "--dir DIR [--json]", "Tells what a directory holds. Exits with 1 if it is not complete.")
	asJSON := f.set.Bool("json", false, "as JSON")
	if _, err := f.parse(args); err != nil {
		return exitError, err
	}
	info, err := describe(f)
	if err != nil {
		return exitError, err
	}
	if *asJSON {
		raw, err := json.MarshalIndent(info, "", "  ")
		if err != nil {
			return exitError, err
		}
		fmt.Fprintf(e.stdout, "%s\n", raw)
	} else {
		info.print(e)
	}
	if !info.Complete {
		return exitDifferent, nil
	}
	return exitOK, nil
}

func describe(f *postFlags) (*spaceInfo, error) {
	m, err := postdata.LoadMetadata(*f.dir)
	if err != nil {
		return nil, err
	}
	layout, ok := post.NewLayout(m.LabelsPerUnit, m.NumUnits, m.MaxFileSize)
	if !ok {
		return nil, fmt.Errorf("%w: sizes overflow", post.ErrMetadata)
	}
	info := &spaceInfo{
		Identity: m.NodeID.String(), Commitment: m.CommitmentATX.String(), Units: m.NumUnits, LabelsPerUnit: m.LabelsPerUnit,
		Files: layout.Files, MaxFileSize: m.MaxFileSize, Labels: layout.Labels, Nonce: m.Nonce, Complete: m.Nonce != nil,
	}
	for k := range layout.Files {
		st, err := os.Stat(filepath.Join(*f.dir, postdata.FileName(k)))
		if err != nil {
			info.Complete = false
			continue
		}
		info.OnDisk += min(uint64(st.Size())/post.LabelSize, layout.InFile(k))
		info.Complete = info.Complete && uint64(st.Size()) == layout.InFile(k)*post.LabelSize
	}
	key, ok, err := f.key()
	if err != nil {
		return nil, err
	}
	if ok && key != m.NodeID {
		return nil, fmt.Errorf("%s is %s, but the data belongs to %s", postKeyFile, key, m.NodeID)
	}
	info.Key = ok
	return info, nil
}

func (i *spaceInfo) print(e *env) {
	nonce := "none yet"
	if i.Nonce != nil {
		nonce = fmt.Sprint(*i.Nonce)
	}
	state := "complete"
	if !i.Complete {
		state = fmt.Sprintf("not complete, %.1f %% on disk", 100*float64(i.OnDisk)/float64(max(i.Labels, 1)))
	}
	for _, line := range [][2]string{
		{"identity", i.Identity}, {"commitment", i.Commitment},
		{"size", fmt.Sprintf("%d units of %d labels, %d bytes in %d files", i.Units, i.LabelsPerUnit, i.Labels*post.LabelSize, i.Files)},
		{"VRF nonce", nonce}, {"state", state},
	} {
		fmt.Fprintf(e.stdout, "%-11s %s\n", line[0], line[1])
	}
}
