// Package postdata keeps PoST data in a directory that every other tool of the
// network reads: label files and a metadata file (spec 02 §3, §5, §6, §7).
//
// A Session initializes a directory and resumes where a run was stopped, at any
// point: labels that reached a file are kept, a torn label at the end of a file is
// cut off and made again, and the metadata is replaced atomically.
//
// A directory is locked while it is written (flock on the directory itself, so no
// foreign file appears in it): a second process gets ErrLocked.
//
// Differences from older tools, all to the safe side: a file that ends inside a
// label is repaired instead of shifted (§5.4 quirk a), a missing or short file
// stops a proof instead of making it wrong (§7.4), and free disk space is checked
// before a run.
package postdata
