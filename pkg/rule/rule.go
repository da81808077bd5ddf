package rule

import (
	"errors"
	"fmt"
)

// Error says that a rule was broken, and perhaps how.
type Error[R ~string] struct {
	Rule   R
	Detail string
}

func (e *Error[R]) Error() string {
	if e.Detail == "" {
		return string(e.Rule)
	}
	return string(e.Rule) + ": " + e.Detail
}

// Is matches another error of the same rule.
func (e *Error[R]) Is(target error) bool {
	other, ok := target.(*Error[R])
	return ok && other.Rule == e.Rule
}

// Broken makes an Error with a formatted detail.
func Broken[R ~string](rule R, format string, args ...any) *Error[R] {
	return &Error[R]{Rule: rule, Detail: fmt.Sprintf(format, args...)}
}

// Of is the rule that err says was broken, or "" where it says nothing of such
// rules.
func Of[R ~string](err error) R {
	if e, ok := errors.AsType[*Error[R]](err); ok {
		return e.Rule
	}
	return ""
}
