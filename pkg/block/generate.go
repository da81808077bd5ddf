package block

import (
	"math/bits"
	"slices"

	"github.com/smeshery/smeshery/pkg/mempool"
	"github.com/smeshery/smeshery/pkg/wire"
)

// Candidate is a proposal of hare's output, with what the node knows of its
// activation and reference ballot.
type Candidate struct {
	ID  wire.ProposalID
	ATX wire.ATXID
	// Weight and BaseHeight are the activation's; BaseHeight is the tick height
	// before its own ticks.
	Weight, BaseHeight uint64
	// Slots is the eligibility count of the reference ballot.
	Slots uint32
	// Proofs is the number of eligibility proofs.
	Proofs   int
	MeshHash wire.Hash32
	Txs      []wire.TransactionID
}

// Params are the network's numbers (spec 06 §2).
type Params struct {
	GasLimit uint64
	// Threshold is the percentage of proofs that have to agree on a mesh hash.
	Threshold int
}

// Txs finds a stored transaction; false also when its header is not known.
type Txs func(wire.TransactionID) (mempool.BlockTx, bool)

// Plan is what a layer's block is made of.
type Plan struct {
	Layer      wire.LayerID
	TickHeight uint64
	// Rewards ascend by activation.
	Rewards []wire.AnyReward
	// Txs is the order in which transactions are executed.
	Txs []wire.TransactionID
	// Optimistic: execute first, then build the block with Executed.
	Optimistic bool
}

// Block is the block of a plan that is not optimistic.
func (p *Plan) Block() *wire.Block { return p.Executed(p.Txs) }

// Executed is the block with these transactions, in order of execution.
func (p *Plan) Executed(txs []wire.TransactionID) *wire.Block {
	return &wire.Block{InnerBlock: wire.InnerBlock{
		LayerIndex: p.Layer, TickHeight: p.TickHeight, Rewards: p.Rewards, TxIDs: txs,
	}}
}

// Generate plans the block of a layer (spec 06 §10.2). prev is the node's own
// aggregated hash of the layer before. There is at least one candidate; hare's
// empty output has the empty block, without a plan. Errors are a *RuleError.
func Generate(params Params, layer wire.LayerID, candidates []Candidate, prev wire.Hash32, lookup Txs) (*Plan, error) {
	// In order of ids, as hare gives them.
	candidates = slices.Clone(candidates)
	slices.SortFunc(candidates, func(a, b Candidate) int { return wire.Compare20(a.ID, b.ID) })
	plan := &Plan{Layer: layer}
	if err := plan.rewards(candidates); err != nil {
		return nil, err
	}
	txs, err := collect(candidates, lookup)
	if err != nil {
		return nil, err
	}
	if hash, ok := majority(candidates, params.Threshold); ok {
		if hash != prev {
			return nil, refuse(RuleMeshHash, "proposals have %s, we %s", hash, prev)
		}
		plan.Optimistic = true
	}
	if len(txs) == 0 {
		return plan, nil
	}
	limit := params.GasLimit
	if plan.Optimistic {
		limit = 0
	}
	plan.Txs = mempool.BlockTxs(txs, seed(candidates), limit)
	return plan, nil
}

func seed(candidates []Candidate) [32]byte {
	ids := make([]wire.ProposalID, len(candidates))
	for i := range candidates {
		ids[i] = candidates[i].ID
	}
	return mempool.BlockSeed(ids)
}

func (p *Plan) rewards(candidates []Candidate) error {
	for i := range candidates {
		c := &candidates[i]
		if c.Slots == 0 {
			return refuse(RuleNoSlots, "atx %s", c.ATX)
		}
		p.TickHeight = max(p.TickHeight, c.BaseHeight)
		p.Rewards = append(p.Rewards, wire.AnyReward{AtxID: c.ATX, Weight: share(c.Weight, c.Slots, c.Proofs)})
	}
	slices.SortFunc(p.Rewards, func(a, b wire.AnyReward) int { return wire.Compare(a.AtxID, b.AtxID) })
	for i := 1; i < len(p.Rewards); i++ {
		if p.Rewards[i-1].AtxID == p.Rewards[i].AtxID {
			return refuse(RuleDuplicateATX, "%s", p.Rewards[i].AtxID)
		}
	}
	return nil
}

// share is weight/slots·proofs in lowest terms, its parts cut to 64 bits.
func share(weight uint64, slots uint32, proofs int) wire.RatNum {
	num, den, n := weight, uint64(slots), uint64(proofs)
	common := gcd(num, den)
	num, den = num/common, den/common
	common = gcd(n, den)
	n, den = n/common, den/common
	if num == 0 || n == 0 {
		return wire.RatNum{Denom: 1}
	}
	_, low := bits.Mul64(num, n)
	return wire.RatNum{Num: low, Denom: den}
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, 1)
}

// majority is the mesh hash on which enough proofs agree. The zero hash, of
// proposers who do not know, never wins.
func majority(candidates []Candidate, threshold int) (wire.Hash32, bool) {
	total := 0
	count := make(map[wire.Hash32]int)
	for i := range candidates {
		total += candidates[i].Proofs
		count[candidates[i].MeshHash] += candidates[i].Proofs
	}
	var best wire.Hash32
	found := false
	for i := range candidates {
		hash := candidates[i].MeshHash
		if hash == (wire.Hash32{}) || count[hash]*100 < threshold*total {
			continue
		}
		// Thresholds above a half leave one; below, the highest count is as good.
		if !found || count[hash] > count[best] {
			best, found = hash, true
		}
	}
	return best, found
}

func collect(candidates []Candidate, lookup Txs) ([]mempool.BlockTx, error) {
	var txs []mempool.BlockTx
	seen := make(map[wire.TransactionID]struct{})
	for i := range candidates {
		for _, id := range candidates[i].Txs {
			if _, twice := seen[id]; twice {
				continue
			}
			seen[id] = struct{}{}
			tx, ok := lookup(id)
			if !ok {
				return nil, refuse(RuleMissingTx, "%s", id)
			}
			txs = append(txs, tx)
		}
	}
	return txs, nil
}

// Queue holds optimistic plans until the state below them is there (spec 06
// §10.1).
type Queue struct{ plans map[wire.LayerID]*Plan }

// Add keeps a plan; a later one for the layer takes its place.
func (q *Queue) Add(p *Plan) {
	if q.plans == nil {
		q.plans = make(map[wire.LayerID]*Plan)
	}
	q.plans[p.Layer] = p
}

// Next removes and returns the plan for the layer after the last applied one,
// nil when it is not there. Plans of layers that are applied already are dropped,
// because they cannot be executed any more.
func (q *Queue) Next(applied wire.LayerID) *Plan {
	for layer := range q.plans {
		if layer <= applied {
			delete(q.plans, layer)
		}
	}
	plan := q.plans[applied+1]
	delete(q.plans, applied+1)
	return plan
}

// Len is how many plans wait.
func (q *Queue) Len() int { return len(q.plans) }
