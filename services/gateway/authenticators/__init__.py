"""A person's authenticators: seen, added, named and removed, each change only with a fresh proof."""
