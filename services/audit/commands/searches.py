"""``countersign audit searches``: searches that are kept under a name."""

from typing import Any, Final
from urllib.parse import quote

import msgspec
from rich.text import Text

from services.audit.commands.client import AuditClient, decoded
from services.audit.commands.context import audit_address
from services.audit.commands.kept import find, many
from services.audit.commands.query import filters
from services.audit.commands.render import console, plain_table, print_json, printable

EMPTIED: Final = "(the person whom it named was erased)"


def list_searches(options: Any) -> None:
    """Print own and shared searches."""
    body = AuditClient(*audit_address(options)).read("/v1/searches")
    if options.json:
        print_json(decoded(body, msgspec.Raw))
        return
    found: list[dict[str, Any]] = decoded(body)["searches"]
    screen = console()
    if not found:
        screen.print("No searches are kept. Keep one: countersign audit searches save NAME and filters as of query.")
        return
    made = plain_table("name", "search", "whose", "shared", "id")
    for one in found:
        terms = " ".join(f"{name}={value}" for name, values in one["params"].items() for value in many(values))
        owner = f"{one['owner']['kind']} {one['owner']['id']}"
        texts = [Text(printable(text)) for text in (one["name"], terms or EMPTIED, owner)]
        made.add_row(*texts, "yes" if one["is_shared"] else "", one["id"])
    screen.print(made)


def save(options: Any) -> None:
    """Keep a search under a name."""
    params: dict[str, str | list[str]] = {}
    for name, value in filters(options):
        params[name] = [*many(params[name]), value] if name in params else value
    wanted = {"name": options.name, "params": params, "is_shared": options.shared}
    body = AuditClient(*audit_address(options)).send("POST", "/v1/searches", wanted)
    if options.json:
        print_json(decoded(body, msgspec.Raw))
    else:
        console().print(f"Kept. Run it: countersign audit query --saved {options.name!r}", soft_wrap=True)


def remove(options: Any) -> None:
    """Remove one of one's own searches."""
    client = AuditClient(*audit_address(options))
    client.send("DELETE", f"/v1/searches/{quote(find(client, options.name)['id'], safe='')}")
    if not options.json:
        console().print("Removed.")
