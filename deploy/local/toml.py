"""Write the little TOML that settings files need."""

import json
from collections.abc import Mapping
from pathlib import Path


def dumps(settings: Mapping[str, object]) -> str:
    """
    Write settings as TOML: plain values first, then one table for each mapping (inline within a list); None is left out.

    Raises:
        TypeError: A value of a type that the settings do not use.
    """
    plain = {key: value for key, value in settings.items() if value is not None and not isinstance(value, Mapping)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", dumps(value).rstrip("\n")]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str() | Path():
            # A JSON string is a TOML basic string, but for two things: JSON writes what lies beyond 16 bits as a pair of
            # surrogates, which TOML forbids, and leaves DEL as it is, which TOML wants escaped.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return f"[{', '.join(_value(item) for item in value)}]"
        case Mapping():
            return f"{{{', '.join(f'{key} = {_value(item)}' for key, item in value.items())}}}"
        case _:
            raise TypeError(f"No TOML for {type(value).__name__}")
