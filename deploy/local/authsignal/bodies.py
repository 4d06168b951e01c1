"""Reading request bodies."""

from typing import Any, TypeVar

import msgspec
from litestar import Request

from deploy.local.authsignal.errors import InvalidRequest

T = TypeVar("T")


async def read_body(request: Request[Any, Any, Any], shape: type[T]) -> T:
    """
    Decode a JSON body, whatever the content type says; an empty one counts as an empty object.

    Raises:
        InvalidRequest: Not JSON, not an object, or a member is missing or of the wrong type.
    """
    raw = await request.body()
    try:
        return msgspec.json.decode(raw or b"{}", type=shape)
    except msgspec.MsgspecError as error:
        raise InvalidRequest(str(error)) from error
    except UnicodeDecodeError as error:
        raise InvalidRequest("The body is not UTF-8.") from error
