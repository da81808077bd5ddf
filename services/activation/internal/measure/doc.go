// Package measure holds the figures of the activation service, so that the time
// spent on each kind of proof can be told from the time spent on everything else.
package measure
