"""People by number: address and account follow from it, so that the stubs need no memory."""

from typing import Final

_ACCOUNT_TAIL: Final = "-0000-4000-8000-000000000000"


def address_of(number: int) -> str:
    """Return a person's e-mail address."""
    return f"person-{number:09d}@example.test"


def sub_of_address(address: str) -> str:
    """Return the Cognito sub of an address."""
    return f"{int(address[7:16]):08x}{_ACCOUNT_TAIL}"


def address_of_sub(sub: str) -> str:
    """Return the address of a sub."""
    return address_of(int(sub[:8], 16))
