"""Detections: what the sealed log says that somebody should look at. Pure: events in the order of the log in, alerts out."""
