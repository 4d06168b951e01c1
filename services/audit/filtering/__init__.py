"""Filter expressions: from what a person types, by a grammar of its own, to a condition in SQL. Pure."""
