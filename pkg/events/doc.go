// Package events is what services tell users: one type for each kind of event,
// as it travels in the stream of bus.AllEvents (spec 09 §7.2, §8).
//
// A service makes an event with New and publishes it through its outbox, in the
// transaction that made it true; what nobody misses after a crash may go directly.
// Consumers read the type by Event.Kind with Decode. Events say that something
// happened and name it; what it is stands in the database, and is read there.
//
// Fields are added, never changed or removed: the stream outlives releases.
package events
