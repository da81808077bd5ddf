package bus

import (
	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// TaskKind is a kind of work for machines. The numbers are stored.
type TaskKind uint8

// Kinds.
const (
	// PostInit fills an identity's data: PostInitInput, SpaceData.
	PostInit TaskKind = 1 + iota
	// PostProve proves an identity's data: PostProveInput, PostProveResult.
	PostProve
	// K2Pow solves one nonce group's proof of work: K2PowInput, K2PowResult.
	K2Pow
	// PostVerify judges a proof: PostVerifyInput, PostVerifyResult.
	PostVerify
)

// TaskKinds are all of them.
func TaskKinds() []TaskKind { return []TaskKind{PostInit, PostProve, K2Pow, PostVerify} }

// String is the kind's name, also in the subject of its wake-up.
func (k TaskKind) String() string {
	return [...]string{"unknown", "PostInit", "PostProve", "K2Pow", "PostVerify"}[min(k, PostVerify+1)%(PostVerify+1)]
}

// FeedTasks hints that tasks were completed, to whoever waits for them.
const FeedTasks = "tasks"

// Bounds of what workers and the queue say to each other.
const (
	maxTaskBytes  = 1 << 20
	maxTaskBatch  = 1 << 10
	maxTaskName   = 128
	maxTaskText   = 1 << 10
	maxTaskSpaces = 1 << 16
)

// TakeRequest asks for work.
type TakeRequest struct {
	// Worker is a name that no other running worker has.
	Worker string
	// Store names the disk that the worker keeps data on; workers that share a
	// disk share the name. Empty has no disk: only K2Pow and PostVerify.
	Store string
	Kinds []TaskKind
	Max   uint32
}

// Task is work that a worker has taken, until it finishes or is lost.
type Task struct {
	ID uint64
	// Attempt tells this taking from others of the same task.
	Attempt uint32
	Kind    TaskKind
	Node    wire.NodeID
	// Left is how long a result is wanted, in milliseconds; 0 is for ever.
	Left uint64
	// Input is the kind's input.
	Input []byte
}

// TakeReply is the work, the most urgent first.
type TakeReply struct{ Tasks []Task }

// TakeTasks gives a worker tasks. One whose reply was lost looks like one whose
// worker was lost.
func TakeTasks() Endpoint[TakeRequest, TakeReply] {
	return taskEndpoint[TakeRequest, TakeReply]("take")
}

// Beat is a sign of life from one task.
type Beat struct {
	ID      uint64
	Attempt uint32
	// Done of Total, in units of the kind's choice; Total 0 is unknown.
	Done, Total uint64
}

// BeatRequest carries the beats of all tasks of a worker.
type BeatRequest struct{ Beats []Beat }

// BeatReply names the tasks that the worker shall stop: they were cancelled,
// their time is over, or another worker has them.
type BeatReply struct{ Stop []uint64 }

// BeatTasks keeps tasks. A repeat is harmless.
func BeatTasks() Endpoint[BeatRequest, BeatReply] {
	return taskEndpoint[BeatRequest, BeatReply]("beat")
}

// TaskOutcome is how an attempt ended.
type TaskOutcome uint8

// Outcomes.
const (
	// TaskDone: Result holds it.
	TaskDone TaskOutcome = 1 + iota
	// TaskFailed: no worker can do it; Text says why.
	TaskFailed
	// TaskBack: not here or not now; it is given out again after Delay.
	TaskBack
)

// FinishRequest ends an attempt.
type FinishRequest struct {
	ID      uint64
	Attempt uint32
	Outcome TaskOutcome
	Result  []byte
	Text    string
	// Delay in milliseconds, with TaskBack.
	Delay uint64
	// Release, with TaskBack of a PostInit that wrote nothing, lets workers with
	// other disks have it.
	Release bool
}

// FinishTask ends an attempt. Conflict says that the result is not wanted: the
// task was cancelled, is late, or another worker's. A repeat answers like the first.
func FinishTask() Endpoint[FinishRequest, None] {
	return Endpoint[FinishRequest, None]{
		subject: "activation.tasks.finish", owner: ActivationService, req: scale[FinishRequest](), rep: none(),
	}
}

// SpaceData describes an identity's data.
type SpaceData struct {
	Node          wire.NodeID
	Commitment    wire.ATXID
	Units         uint32
	LabelsPerUnit uint64
	Nonce         *uint64
	// Complete tells that all labels are there, and a nonce.
	Complete bool
}

// AnnounceRequest says what data lies on a disk: all of it.
type AnnounceRequest struct {
	Store  string
	Spaces []SpaceData
}

// AnnounceReply names identities whose data another disk has, too.
type AnnounceReply struct{ Elsewhere []wire.NodeID }

// AnnounceSpaces tells the queue what a worker finds at start. A repeat is harmless.
func AnnounceSpaces() Endpoint[AnnounceRequest, AnnounceReply] {
	return taskEndpoint[AnnounceRequest, AnnounceReply]("announce")
}

// SubmitRequest asks for a task. The same kind, node and input is the same task;
// of PostInit a node has one, whatever its input.
type SubmitRequest struct {
	Kind  TaskKind
	Node  wire.NodeID
	Input []byte
	// Left is how long the result is wanted, in milliseconds.
	Left uint64
}

// TaskState is how far a task is. The numbers are stored.
type TaskState uint8

// States.
const (
	TaskWaiting TaskState = 1 + iota
	TaskRunning
	TaskCompleted
	TaskRefused
)

// TaskReply is a task as it stands now.
type TaskReply struct {
	ID     uint64
	State  TaskState
	Result []byte
	Text   string
}

// SubmitTask adds a task, or finds it. Ask again for its result.
func SubmitTask() Endpoint[SubmitRequest, TaskReply] {
	return taskEndpoint[SubmitRequest, TaskReply]("submit")
}

// PostInitInput is what data to make.
type PostInitInput struct {
	Commitment wire.ATXID
	Units      uint32
}

// PostProveInput is what to prove.
type PostProveInput struct{ Challenge wire.Hash32 }

// PostProveResult is a proof and the data that it was made over.
type PostProveResult struct {
	Post wire.PostV1
	Data SpaceData
}

// K2PowInput is a nonce group's puzzle; the task's node belongs to it.
type K2PowInput struct {
	Group      uint8
	Challenge  [8]byte
	Difficulty wire.Hash32
}

// K2PowResult solves it.
type K2PowResult struct{ Pow uint64 }

// PostVerifyInput is a proof to look at in full.
type PostVerifyInput struct {
	Post       wire.PostV1
	Commitment wire.ATXID
	Challenge  wire.Hash32
	Units      uint32
}

// PostVerifyResult names the rule that the proof broke; empty is a good proof.
type PostVerifyResult struct {
	Rule string
	// Ordinal is the index that is wrong, if Rule is about one.
	Ordinal uint32
}

func taskEndpoint[Req, Rep any, PReq codec.Pointer[Req], PRep codec.Pointer[Rep]](name string) Endpoint[Req, Rep] {
	return Endpoint[Req, Rep]{
		subject: "activation.tasks." + name, owner: ActivationService,
		req: scale[Req, PReq](), rep: scale[Rep, PRep](),
	}
}
