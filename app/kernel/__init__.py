"""What every room stands on: database, clock, events, outbox, audit, states, permissions, queue. Knows no room."""
