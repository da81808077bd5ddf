package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/internal/vectors"
)

// rowsOf reads all rows of a kind.
func rowsOf(ctx context.Context, s Source, k Kind) ([]any, error) {
	switch k {
	case PoetProofs:
		return gather(s.PoetProofs(ctx))
	case ATXs:
		return gather(s.ATXs(ctx))
	case ActiveSets:
		return gather(s.ActiveSets(ctx))
	case Beacons:
		return gather(s.Beacons(ctx))
	case Transactions:
		return gather(s.Transactions(ctx))
	case Ballots:
		return gather(s.Ballots(ctx))
	case Blocks:
		return gather(s.Blocks(ctx))
	case Certificates:
		return gather(s.Certificates(ctx))
	case Layers:
		return gather(s.Layers(ctx))
	case Accounts:
		return gather(s.Accounts(ctx))
	case Rewards:
		return gather(s.Rewards(ctx))
	case Identities:
		return gather(s.Identities(ctx))
	case Marriages:
		return gather(s.Marriages(ctx))
	}
	panic(k)
}

func gather[T any](rows iter.Seq2[T, error]) (out []any, err error) {
	for row, err := range rows {
		if err != nil {
			return out, err
		}
		out = append(out, row)
	}
	return out, nil
}

// lineOf is the first line of a recording's file; empty if it has none.
func lineOf(t testing.TB, dir string, k Kind) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, string(k)+".jsonl.gz"))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	all, err := io.ReadAll(z)
	require.NoError(t, err)
	line, _, _ := bytes.Cut(all, []byte("\n"))
	return line
}

// zipped is a gzip file that stores: seeds then stay legible inside.
func zipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	require.NoError(t, err)
	_, err = z.Write(content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

const (
	identityLine = `{"node_id":"` + hex32 + `","proof":"0102","received_ns":1}`
	marriageLine = `{"node_id":"` + hex32 + `","marriage_atx":"` + hex32 + `"}`
	hex32        = "0102030405060708090a0b0c0d0e0f100102030405060708090a0b0c0d0e0f10"
)

// FuzzRows reads any bytes as a file of a recording, of every kind, packed or
// about to be. What is wrong is an *Error that names file and line; what is read
// is the same when it is read again, and none of its ids is half there.
func FuzzRows(f *testing.F) {
	dir := filepath.Join(vectors.RecordingsDir(), vectors.Recordings(f)[1])
	for i, k := range Kinds() {
		line := lineOf(f, dir, k)
		switch k {
		case Identities:
			line = []byte(identityLine)
		case Marriages:
			line = []byte(marriageLine)
		}
		require.NotEmpty(f, line, k)
		f.Add(uint8(i), true, line)
		f.Add(uint8(i), true, append(append(append([]byte{}, line...), "\n\n"...), line...))
		f.Add(uint8(i), false, zipped(f, line))
	}
	dir = f.TempDir()
	f.Fuzz(func(t *testing.T, kind uint8, pack bool, content []byte) {
		k := Kinds()[int(kind)%len(Kinds())]
		path := filepath.Join(dir, string(k)+".jsonl.gz")
		if pack {
			content = zipped(t, content)
		}
		require.NoError(t, os.WriteFile(path, content, 0o600))
		r := &recording{dir: dir, unsorted: map[Kind]bool{}}
		rows, err := rowsOf(t.Context(), r, k)
		requireRows(t, k, rows)
		again, errAgain := rowsOf(t.Context(), r, k)
		require.Equal(t, rows, again)
		require.Equal(t, err, errAgain)
		if err != nil {
			var named *Error
			require.True(t, errors.As(err, &named))
			require.Equal(t, path, named.Path)
			return
		}
		r.unsorted[k] = true
		again, err = rowsOf(t.Context(), r, k)
		require.NoError(t, err)
		require.ElementsMatch(t, rows, again)
	})
}

// requireRows checks what replays rely on.
func requireRows(t *testing.T, k Kind, rows []any) {
	t.Helper()
	for _, row := range rows {
		switch row := row.(type) {
		case ATX:
			require.NotEmpty(t, row.Blob)
			require.Positive(t, row.Version)
		case Transaction:
			require.NotEmpty(t, row.Raw)
			require.False(t, row.Result != nil && row.Layer == nil)
		case Ballot:
			require.NotEmpty(t, row.Blob)
		case Block:
			require.NotEmpty(t, row.Blob)
		case PoetProof:
			require.NotEmpty(t, row.Blob)
			require.NotEmpty(t, row.ServiceID)
		case ActiveSet:
			require.NotEmpty(t, row.Blob)
		}
	}
}

// FuzzDatabaseRow puts any value into any column of any table of a state.sql that
// holds a row of each kind. Reading never fails other than with an *Error that
// names the table, and what was not touched is read as before.
func FuzzDatabaseRow(f *testing.F) {
	path, columns := smallDatabase(f)
	for i := range columns {
		f.Add(uint8(i), uint8(0), int64(0), []byte(nil))
		f.Add(uint8(i), uint8(1), int64(-1), []byte(nil))
		f.Add(uint8(i), uint8(2), int64(0), bytes.Repeat([]byte{7}, 32))
		f.Add(uint8(i), uint8(3), int64(0), []byte("text"))
		f.Add(uint8(i), uint8(4), int64(1<<62), []byte(nil))
	}
	untouched, err := Open(f.Context(), path, &Manifest{Preset: "mainnet"})
	require.NoError(f, err)
	for _, k := range Kinds() {
		rows, err := rowsOf(f.Context(), untouched, k)
		require.NoError(f, err)
		require.Len(f, rows, 1, k)
	}
	require.NoError(f, untouched.Close())
	p := filepath.Join(f.TempDir(), "state.sql")
	whole, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, column, kind uint8, number int64, content []byte) {
		require.NoError(t, os.WriteFile(p, whole, 0o600))
		at := columns[int(column)%len(columns)]
		value := [...]any{nil, number, content, string(content), float64(number) / 3}[int(kind)%5]
		put(t, p, `UPDATE `+at.table+` SET `+at.column+` = ?`, value)
		s, err := Open(t.Context(), p, &Manifest{Preset: "mainnet"})
		if err != nil {
			requireNamed(t, p, err)
			return
		}
		defer s.Close()
		for _, k := range Kinds() {
			rows, err := rowsOf(t.Context(), s, k)
			requireRows(t, k, rows)
			if err != nil {
				requireNamed(t, p, err)
				require.True(t, at.serves(k), "%s is damaged by %s.%s", k, at.table, at.column)
				require.ErrorContains(t, err, string(k))
			}
		}
	})
}

func requireNamed(t *testing.T, path string, err error) {
	t.Helper()
	var named *Error
	require.True(t, errors.As(err, &named), "%v", err)
	require.Equal(t, path, named.Path)
}

// place is a column of a database.
type place struct{ table, column string }

// serves tells whether rows of a kind come from the column's table.
func (p place) serves(k Kind) bool {
	of := tables()[k]
	return p.table == of.joined || slices.Contains(of.names, p.table)
}

// smallDatabase has the first row of each kind, under the newest names, and lists
// all its columns.
func smallDatabase(f *testing.F) (path string, columns []place) {
	f.Helper()
	path = filepath.Join(f.TempDir(), "small.sql")
	dir := filepath.Join(vectors.RecordingsDir(), vectors.Recordings(f)[1])
	for _, k := range Kinds() {
		line := lineOf(f, dir, k)
		switch k {
		case Identities:
			line = []byte(identityLine)
		case Marriages:
			line = []byte(marriageLine)
		}
		values, err := object(line)
		require.NoError(f, err)
		row := &fields{values: values}
		of := tables()[k]
		split := map[string][]column{of.names[0]: nil}
		for _, c := range of.columns {
			name := of.names[0]
			if c.joined {
				name = of.joined
			}
			split[name] = append(split[name], c)
		}
		if of.joined != "" {
			split[of.joined] = append(split[of.joined], col("id"))
		}
		for table, in := range split {
			columns = append(columns, insert(f, path, table, in, row)...)
		}
	}
	return path, columns
}

// insert makes a table with one row.
func insert(f *testing.F, path, table string, in []column, row *fields) (columns []place) {
	f.Helper()
	var names, marks []string
	var values []any
	for _, c := range in {
		names, marks = append(names, quote(c.name)), append(marks, "?")
		values = append(values, cell(f, row, c))
		columns = append(columns, place{table, c.name})
	}
	put(f, path, `CREATE TABLE `+quote(table)+` (`+strings.Join(names, ", ")+`)`)
	put(f, path, `INSERT INTO `+quote(table)+` VALUES (`+strings.Join(marks, ", ")+`)`, values...)
	return columns
}

// cell is a recording's value as a database holds it.
func cell(f *testing.F, row *fields, c column) any {
	f.Helper()
	for _, name := range append([]string{c.name}, c.accepted...) {
		switch v := row.values[name].(type) {
		case nil:
		case string:
			r := &fields{values: row.values}
			return r.optionalBytes(name)
		default:
			r := &fields{values: row.values}
			n, _ := r.optional64(name)
			require.NoError(f, r.err, "%s %v", name, v)
			return int64(n)
		}
	}
	return nil
}

func put(t testing.TB, path, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statement, args...)
	require.NoError(t, err, statement)
}
