"""Detections at work: following the sealed log, keeping alerts, delivering them, and going over the past again."""
