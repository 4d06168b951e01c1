"""The four Lambda functions that Cognito calls: standard library only, one JSON log line per call."""
