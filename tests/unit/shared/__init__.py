"""Events, audit trail, state store, middleware: what the services share."""
