"""The audit service: consume from the queue, append to the log, answer queries; the only service that speaks SQL."""
