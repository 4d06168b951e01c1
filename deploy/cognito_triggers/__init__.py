"""The four Lambda functions that Cognito calls: standard library only, no network, one JSON log line per call."""
