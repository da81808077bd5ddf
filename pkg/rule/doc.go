// Package rule is the error that says which rule somebody broke. A package that
// judges what peers send has its own string type of rules and calls
// Error[Rule] its RuleError, so that errors.As tells whose rule it was.
//
// Invariant: an Error never stands for a failure of ours, nor for something that
// is missing here; those are other errors.
package rule
