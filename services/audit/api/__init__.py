"""The HTTP API of the audit log: thin handlers over `services.audit.storage`."""
