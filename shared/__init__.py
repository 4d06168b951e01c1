"""What the services must agree on: events, settings, state, telemetry, and the clients between them."""
