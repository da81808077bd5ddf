// Package v1 serves spacemesh.v1 (spec 09 §5–§8): queries of Postgres, questions to
// other services over the bus, and streams that internal/live feeds.
//
// A stream subscribes before it answers anything, so that a client that has the
// header misses nothing. Streams that are too slow end as Canceled with the text of
// spec 09 §7.1.
//
// AdminService.EventsStream can be replayed, which the network's software cannot:
// a client that sends the metadata key "smeshery-from-sequence" gets every user
// event from that sequence of the stream of events on, as far back as the stream
// goes (7 days), and then the live ones. Every event then carries its sequence as
// field 1000, a varint that ordinary clients ignore: sequence + 1 is where to go on.
// The header "smeshery-last-sequence" says where the stream ended at subscription.
//
// Methods that version 1.63 of the API removed are still answered Unimplemented in
// the words old clients know (spec 09 §10.3).
package v1
