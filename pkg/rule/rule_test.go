package rule_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/smeshery/smeshery/pkg/rule"
)

type (
	ours   string
	theirs string
)

func TestErrorTellsItsRule(t *testing.T) {
	err := fmt.Errorf("ballot: %w", rule.Broken(ours("late"), "by %d layers", 3))
	require.EqualError(t, err, "ballot: late: by 3 layers")
	require.Equal(t, ours("late"), rule.Of[ours](err))
	require.ErrorIs(t, err, &rule.Error[ours]{Rule: "late"})
	require.NotErrorIs(t, err, &rule.Error[ours]{Rule: "early"})
	require.EqualError(t, &rule.Error[ours]{Rule: "late"}, "late")
}

func TestRulesOfOthersAreNotMixedUp(t *testing.T) {
	err := rule.Broken(ours("late"), "")
	require.Empty(t, rule.Of[theirs](err))
	require.NotErrorIs(t, err, &rule.Error[theirs]{Rule: "late"})
	require.Empty(t, rule.Of[ours](errors.New("late")))
	require.Empty(t, rule.Of[ours](nil))
}
