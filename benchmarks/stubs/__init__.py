"""The upstreams of a benchmark: Authsignal, Cognito, SQS and a trace collector in one lean process that answers at once."""
