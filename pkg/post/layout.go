package post

// Layout says how labels are spread over files (spec 02 §3.1).
type Layout struct {
	Labels        uint64 // in all files
	LabelsPerFile uint64 // in all files but the last
	Files         uint64
}

// NewLayout derives the layout; ok is false when the sizes make no sense (no
// labels, files too small for a label, more than 64 bits of labels or bytes).
func NewLayout(labelsPerUnit uint64, numUnits uint32, maxFileSize uint64) (l Layout, ok bool) {
	labels, fits := NumLabels(numUnits, labelsPerUnit)
	perFile := maxFileSize / LabelSize
	if !fits || labels == 0 || perFile == 0 || labels > (1<<64-1)/LabelSize {
		return Layout{}, false
	}
	files := (labels-1)/perFile + 1
	return Layout{Labels: labels, LabelsPerFile: perFile, Files: files}, true
}

// InFile is the number of labels of file k.
func (l Layout) InFile(k uint64) uint64 {
	if k >= l.Files {
		return 0
	}
	return min(l.LabelsPerFile, l.Labels-k*l.LabelsPerFile)
}

// FirstOf is the index of the first label of file k.
func (l Layout) FirstOf(k uint64) uint64 { return k * l.LabelsPerFile }

// Locate is the file of a label and the byte offset in it.
func (l Layout) Locate(index uint64) (file, offset uint64) {
	return index / l.LabelsPerFile, index % l.LabelsPerFile * LabelSize
}
