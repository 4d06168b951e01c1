"""Authsignal as this service sees it: the SDK's client on an awaited transport, typed answers, deadlines and faults."""
