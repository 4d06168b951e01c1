"""Whether what the database keeps beside the entries says what the entries say."""
