"""From the queue into the log: receive, read, append, delete after commit."""
