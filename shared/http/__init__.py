"""What every service's HTTP side shares: request context, problems, serving, and the client between services."""
