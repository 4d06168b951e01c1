"""Logs, metrics and traces: one line, one sample and at most one span tree per request."""
