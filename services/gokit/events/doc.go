// Package events handles what the shop's broker tells, as services/kit/events does in Python: each event once by its id,
// those of one aggregate in order, tried again with back-off, held as a dead letter when that does not help. A service
// runs a [Consumer], has `deadletters` among its commands ([DeadLetters]), and creates the table inbox in a migration.
package events
