package bus

import "github.com/smeshery/smeshery/pkg/codec"

// Code describes the request on the wire.
func (r *TakeRequest) Code(c *codec.Coder) {
	c.String(&r.Worker, maxTaskName)
	c.String(&r.Store, maxTaskName)
	codec.List(c, &r.Kinds, 64)
	c.U32(&r.Max)
}

// Code describes the kind on the wire.
func (k *TaskKind) Code(c *codec.Coder) { c.U8((*uint8)(k)) }

// Code describes the task on the wire.
func (t *Task) Code(c *codec.Coder) {
	c.U64(&t.ID)
	c.U32(&t.Attempt)
	t.Kind.Code(c)
	c.Fixed(t.Node[:])
	c.U64(&t.Left)
	c.Bytes(&t.Input, maxTaskBytes)
}

// Code describes the reply on the wire.
func (r *TakeReply) Code(c *codec.Coder) { codec.List(c, &r.Tasks, maxTaskBatch) }

// Code describes the beat on the wire.
func (b *Beat) Code(c *codec.Coder) {
	c.U64(&b.ID)
	c.U32(&b.Attempt)
	c.U64(&b.Done)
	c.U64(&b.Total)
}

// Code describes the request on the wire.
func (r *BeatRequest) Code(c *codec.Coder) { codec.List(c, &r.Beats, maxTaskBatch) }

// taskID is an element of a list.
type taskID uint64

// Code describes the number on the wire.
func (t *taskID) Code(c *codec.Coder) { c.U64((*uint64)(t)) }

// Code describes the reply on the wire.
func (r *BeatReply) Code(c *codec.Coder) {
	ids := make([]taskID, len(r.Stop))
	for i, id := range r.Stop {
		ids[i] = taskID(id)
	}
	codec.List(c, &ids, maxTaskBatch)
	if !c.Reading() {
		return
	}
	r.Stop = nil
	for _, id := range ids {
		r.Stop = append(r.Stop, uint64(id))
	}
}

// Code describes the request on the wire.
func (r *FinishRequest) Code(c *codec.Coder) {
	c.U64(&r.ID)
	c.U32(&r.Attempt)
	c.U8((*uint8)(&r.Outcome))
	c.Bytes(&r.Result, maxTaskBytes)
	c.String(&r.Text, maxTaskText)
	c.U64(&r.Delay)
	c.Bool(&r.Release)
}

// Code describes the data on the wire.
func (s *SpaceData) Code(c *codec.Coder) {
	c.Fixed(s.Node[:])
	c.Fixed(s.Commitment[:])
	c.U32(&s.Units)
	c.U64(&s.LabelsPerUnit)
	c.OptionalCompact64(&s.Nonce)
	c.Bool(&s.Complete)
}

// Code describes the request on the wire.
func (r *AnnounceRequest) Code(c *codec.Coder) {
	c.String(&r.Store, maxTaskName)
	codec.List(c, &r.Spaces, maxTaskSpaces)
}

// Code describes the reply on the wire.
func (r *AnnounceReply) Code(c *codec.Coder) { codec.FixedList(c, &r.Elsewhere, maxTaskSpaces) }

// Code describes the request on the wire.
func (r *SubmitRequest) Code(c *codec.Coder) {
	r.Kind.Code(c)
	c.Fixed(r.Node[:])
	c.Bytes(&r.Input, maxTaskBytes)
	c.U64(&r.Left)
}

// Code describes the reply on the wire.
func (r *TaskReply) Code(c *codec.Coder) {
	c.U64(&r.ID)
	c.U8((*uint8)(&r.State))
	c.Bytes(&r.Result, maxTaskBytes)
	c.String(&r.Text, maxTaskText)
}

// Code describes the input in a task's row.
func (i *PostInitInput) Code(c *codec.Coder) {
	c.Fixed(i.Commitment[:])
	c.U32(&i.Units)
}

// Code describes the input in a task's row.
func (i *PostProveInput) Code(c *codec.Coder) { c.Fixed(i.Challenge[:]) }

// Code describes the result in a task's row.
func (r *PostProveResult) Code(c *codec.Coder) {
	r.Post.Code(c)
	r.Data.Code(c)
}

// Code describes the input in a task's row.
func (i *K2PowInput) Code(c *codec.Coder) {
	c.U8(&i.Group)
	c.Fixed(i.Challenge[:])
	c.Fixed(i.Difficulty[:])
}

// Code describes the result in a task's row.
func (r *K2PowResult) Code(c *codec.Coder) { c.U64(&r.Pow) }

// Code describes the input in a task's row.
func (i *PostVerifyInput) Code(c *codec.Coder) {
	i.Post.Code(c)
	c.Fixed(i.Commitment[:])
	c.Fixed(i.Challenge[:])
	c.U32(&i.Units)
}

// Code describes the result in a task's row.
func (r *PostVerifyResult) Code(c *codec.Coder) {
	c.String(&r.Rule, maxTaskName)
	c.U32(&r.Ordinal)
}
