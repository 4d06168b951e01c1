"""Step-ups: approve one action, with its very details, once. What is approved cannot be changed afterwards."""
