"""What a token lets its bearer do to a user's authenticators. Pure."""

READ = "read:authenticators"
ADD = "add:authenticators"
UPDATE = "update:authenticators"
REMOVE = "remove:authenticators"

DEFAULT: tuple[str, ...] = (READ,)
ALL: tuple[str, ...] = (READ, ADD, UPDATE, REMOVE)  # what a completed challenge earns


def parse_scope(value: str | None) -> tuple[str, ...]:
    """
    Read a space-separated scope string; unknown words are dropped, and reading is always granted.

    The result keeps the order of `ALL`, so that equal scopes give equal tokens.
    """
    asked = {READ, *(value or "").split()}
    return tuple(scope for scope in ALL if scope in asked)


def may_enrol(scopes: tuple[str, ...], *, has_authenticator: bool) -> bool:
    """A first factor needs no scope; a second one needs `add:authenticators`."""
    return not has_authenticator or ADD in scopes
