package store

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Code is the SQLSTATE of an error of the server; empty for any other error.
func Code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// Constraint is the name of the constraint that a statement violated.
func Constraint(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.ConstraintName
	}
	return ""
}

// Retryable tells whether the same transaction may succeed if it begins again.
func Retryable(err error) bool {
	switch Code(err) {
	case "40001", "40P01": // serialization failure, deadlock
		return true
	}
	return false
}

// NotFound tells whether a query for one row found none.
func NotFound(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// Duplicate tells whether a unique constraint refused a row.
func Duplicate(err error) bool { return Code(err) == "23505" }
