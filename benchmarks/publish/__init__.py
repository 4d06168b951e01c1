"""One audit event onto the queue, acknowledged before its author goes on: AuditTrail beside one SendMessage per event."""
