package source

import (
	"fmt"
	"slices"
	"strings"
)

// table says where a kind of row stands in a state.sql. Names of columns are not
// written down anywhere and have changed over time, so several are accepted.
type table struct {
	// names of the table; the first that exists is taken.
	names []string
	// columns by the names that recordings use.
	columns []column
	// joined is a second table with the bodies, by the same key.
	joined string
	// key and body look up one object; empty where nobody does.
	key, body string
	// order is a list of recordings' names.
	order []string
	// optional tables may be missing: the kind is then empty.
	optional bool
}

type column struct {
	name string
	// accepted names in the database; the first that exists is taken.
	accepted []string
	// missing is an SQL expression that stands for the column where no
	// accepted name exists; empty if there has to be one.
	missing string
	// joined is true for a column of the second table.
	joined bool
}

func col(name string, accepted ...string) column {
	return column{name: name, accepted: append([]string{name}, accepted...)}
}

func maybe(missing string, c column) column { c.missing = missing; return c }

func inJoined(c column) column { c.joined = true; return c }

// tables lists them all (spec 04 §13, spec 06 §15, spec 07 §3.2).
func tables() map[Kind]table {
	return map[Kind]table{
		PoetProofs: {names: []string{"poets"}, key: "ref", body: "blob", columns: []column{
			col("ref"), col("blob", "poet"), col("service_id"), col("round_id"),
		}},
		ATXs: {names: []string{"atxs"}, joined: "atx_blobs", key: "id", body: "blob", order: []string{"publish_epoch", "received_ns"}, columns: []column{
			col("id"), col("publish_epoch", "epoch"), col("node_id", "pubkey"), col("received_ns", "received"),
			col("effective_num_units"), col("weight"), col("base_tick_height"), col("tick_count"), col("sequence"),
			col("vrf_nonce", "nonce"), col("coinbase"), col("commitment_atx"), col("validity"),
			maybe("NULL", col("marriage_atx")), inJoined(maybe("1", col("version"))), inJoined(col("blob", "atx")),
		}},
		ActiveSets: {names: []string{"activesets"}, key: "id", body: "blob", order: []string{"epoch"}, columns: []column{
			col("id", "hash"), col("epoch"), col("blob", "active_set"),
		}},
		Beacons: {names: []string{"beacons"}, order: []string{"epoch"}, columns: []column{col("epoch"), col("beacon")}},
		Transactions: {names: []string{"transactions"}, key: "id", body: "raw", order: []string{"layer"}, columns: []column{
			col("id"), col("raw", "tx"), col("header"), col("result"), col("layer"), col("block"), col("principal"), col("nonce"),
		}},
		Ballots: {names: []string{"ballots"}, key: "id", body: "blob", order: []string{"layer", "id"}, columns: []column{
			col("id"), col("layer"), col("atx"), col("node_id", "pubkey"), col("blob", "ballot"),
		}},
		Blocks: {names: []string{"blocks"}, key: "id", body: "blob", order: []string{"layer", "id"}, columns: []column{
			col("id"), col("layer"), col("validity"), col("blob", "block"),
		}},
		Certificates: {names: []string{"certificates"}, order: []string{"layer"}, columns: []column{
			col("layer"), col("block"), col("blob", "cert"), col("valid"),
		}},
		Layers: {names: []string{"layers"}, order: []string{"layer"}, columns: []column{
			col("layer", "id"), col("weak_coin"), col("processed"), col("applied_block"), col("state_hash"), col("aggregated_hash"),
		}},
		Accounts: {names: []string{"accounts"}, order: []string{"layer_updated", "address"}, columns: []column{
			col("address"), col("balance"), col("next_nonce"), col("layer_updated"), col("template"), col("state"),
		}},
		Rewards: {names: []string{"rewards"}, order: []string{"layer"}, columns: []column{
			col("node_id", "pubkey"), col("coinbase"), col("layer"), col("total_reward"), col("layer_reward"),
		}},
		Identities: {names: []string{"identities"}, key: "node_id", body: "proof", columns: []column{
			col("node_id", "pubkey"), col("proof"), maybe("NULL", col("received_ns", "received")),
		}},
		Marriages: {names: []string{"marriages"}, optional: true, columns: []column{
			col("node_id", "pubkey"), col("atx", "marriage_atx"),
		}},
	}
}

// query is a table in the words of one database.
type query struct {
	names             []string
	rows, count, body string
}

// query finds the table's columns among those of a database.
func (t table) query(found map[string][]string) (query, error) {
	i := slices.IndexFunc(t.names, func(n string) bool { return found[n] != nil })
	if i < 0 {
		if t.optional {
			return query{}, nil
		}
		return query{}, fmt.Errorf("table %s is missing", strings.Join(t.names, " or "))
	}
	name := t.names[i]
	if t.joined != "" && found[t.joined] == nil {
		return query{}, fmt.Errorf("table %s is missing", t.joined)
	}
	var q query
	exprs := make(map[string]string, len(t.columns))
	var selected []string
	for _, c := range t.columns {
		expr, err := c.expression(name, t.joined, found)
		if err != nil {
			return query{}, err
		}
		exprs[c.name] = expr
		q.names = append(q.names, c.name)
		selected = append(selected, expr)
	}
	from := " FROM " + quote(name) + " t"
	q.count = "SELECT count(*)" + from
	if t.joined != "" {
		from += " JOIN " + quote(t.joined) + " j ON j.id = t.id"
	}
	q.rows = "SELECT " + strings.Join(selected, ", ") + from
	for i, o := range t.order {
		q.rows += map[bool]string{true: " ORDER BY ", false: ", "}[i == 0] + exprs[o]
	}
	if t.body != "" {
		q.body = "SELECT " + exprs[t.body] + from + " WHERE " + exprs[t.key] + " = ?"
	}
	return q, nil
}

func (c column) expression(name, joined string, found map[string][]string) (string, error) {
	alias, of := "t.", name
	if c.joined {
		alias, of = "j.", joined
	}
	for _, a := range c.accepted {
		if slices.Contains(found[of], a) {
			return alias + quote(a), nil
		}
	}
	if c.missing != "" {
		return c.missing, nil
	}
	return "", fmt.Errorf("table %s has no column %s (it has %s)", of, strings.Join(c.accepted, " or "), strings.Join(found[of], ", "))
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
