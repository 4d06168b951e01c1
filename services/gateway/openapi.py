"""
The gateway's OpenAPI document, as a file that clients are generated from.

``python -m services.gateway.openapi`` writes it; a test holds the file to the handlers.
"""

import json
from pathlib import Path
from typing import Final

from services.gateway.app import create_api

DOCUMENT: Final = Path(__file__).parent / "openapi.json"


def render() -> str:
    """Return the document as JSON text, stable from run to run."""
    return json.dumps(create_api().openapi_schema.to_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(render())
