"""Who is compared: the product, a bare reference below it, and the obvious build that it replaces."""
