// Package lint holds the architecture's rules as tests: what pure packages may
// import, that services do not know each other, that every package says what it
// is for, and that subjects and table writes stand in their one place.
package lint
