"""The log as it grows, sent on: to a webhook or below an S3 prefix, at least once, in the order of the log."""
