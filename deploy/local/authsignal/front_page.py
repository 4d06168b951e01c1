"""The page at `/`, for a person who opens the simulator's address: what this is, and where to look inside."""

import html

from litestar import MediaType, get
from litestar.di import NamedDependency

from deploy.local.authsignal.tenant import Tenant

_VIEWS = {
    "outbox": "Messages sent, with their codes",
    "users": "Users",
    "actions": "Actions and their states",
    "calls": "Calls of the APIs",
    "outcomes": "What the rules decide",
    "faults": "Faults that are set",
    "settings": "Limits and lives in force",
    "clock": "The clock",
}

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Authsignal simulator</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 0 auto; padding: 3rem 1.25rem; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; margin: 0 0 0.5rem; }}
code {{ font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.5rem; margin: 1.5rem 0; }}
dd {{ margin: 0; }}
ul {{ list-style: none; padding: 0; margin: 0.5rem 0; }}
li + li {{ border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent); }}
li a {{ display: block; padding: 0.5rem 0; }}
</style>
</head>
<body>
<h1>Authsignal simulator</h1>
<p>It speaks Authsignal's API on this machine, keeps its own accounts and sends real mail. Nothing leaves this machine.</p>
<dl>
<dt>API</dt><dd><code>{api_url}</code></dd>
<dt>Tenant</dt><dd><code>{tenant_id}</code></dd>
</dl>
<h2>Look inside</h2>
<ul>
{links}
</ul>
</body>
</html>
"""


@get("/", media_type=MediaType.HTML)
async def front_page(tenant: NamedDependency[Tenant]) -> str:
    """Say what this is, and link to the views of the control port."""
    links = "\n".join(f'<li><a href="/control/{path}">{html.escape(words)}</a></li>' for path, words in _VIEWS.items())
    return _PAGE.format(
        api_url=html.escape(tenant.settings.api_url), tenant_id=html.escape(tenant.settings.tenant_id), links=links
    )
