"""A browser's name, from its User-Agent: enough for a person to know it again, and nothing more."""

import re
from typing import Final

# Order matters: most browsers also name those that they descend from.
BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
PRODUCT: Final = re.compile(r"([A-Za-z][A-Za-z0-9._-]{1,30})/")


def device_name(user_agent: str | None) -> str:
    """Return words such as "Firefox on Windows", or the product that a client calls itself."""
    if not user_agent:
        return "Unknown device"
    browser = next((name for mark, name in BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in SYSTEMS if mark in user_agent), None)
    if browser is not None and system is not None:
        return f"{browser} on {system}"
    product = PRODUCT.match(user_agent)
    return browser or system or (product[1] if product is not None else "Unknown device")
