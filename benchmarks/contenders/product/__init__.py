"""The product: the real services, started as an operator starts them, with settings files of their own."""
