"""From an address to an account: AdminGetUser, remembered for a few minutes under the address's keyed hash."""

from datetime import datetime
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from services.gateway.cognito.faults import CognitoRefused, CognitoUnreachable
from services.gateway.sealing import Sealer
from shared.state import StateStore

REMEMBER_SECONDS: Final = 300


class Account(Struct, frozen=True, kw_only=True):
    """An account that may sign in."""

    sub: str
    email: str
    created_at: datetime | None = None


class Directory:
    """
    Looks accounts up by address or sub.

    Only accounts that exist are remembered: somebody who signs up now must be found a moment later. An account that is
    deleted meanwhile fails at Cognito and is then forgotten.
    """

    def __init__(self, client: Any, *, user_pool_id: str, state: StateStore, sealer: Sealer) -> None:
        self._client = client
        self._user_pool_id = user_pool_id
        self._state = state
        self._sealer = sealer

    async def find(self, email: str, email_hash: str) -> Account | None:
        """
        Return the enabled account of an address, or None.

        Raises:
            CognitoRefused, CognitoUnreachable: Cognito did not say.
        """
        key = _key(email_hash)
        remembered = await self._state.get(key)
        if remembered is not None:
            opened = self._sealer.open(key, remembered)
            if opened is not None:
                return msgspec.json.decode(opened, type=Account)
        account = await self.look_up(email)
        if account is not None:
            await self._state.put(key, self._sealer.seal(key, msgspec.json.encode(account)), ttl_seconds=REMEMBER_SECONDS)
        return account

    async def look_up(self, username: str) -> Account | None:
        """Ask Cognito about a sub or an address, past what is remembered."""
        try:
            user = await self._client.admin_get_user(UserPoolId=self._user_pool_id, Username=username)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "Unknown")
            if code == "UserNotFoundException":
                return None
            raise CognitoRefused("AdminGetUser", code) from error
        except (BotoCoreError, OSError) as error:
            raise CognitoUnreachable(f"AdminGetUser: {type(error).__name__}") from error
        attributes = {attribute["Name"]: attribute["Value"] for attribute in user["UserAttributes"]}
        is_usable = user.get("Enabled", False) and attributes.get("email_verified") == "true"
        if not is_usable:
            # An address that was never proven is nobody's: whoever proves it now must not get the account of another.
            return None
        return Account(sub=attributes["sub"], email=attributes["email"], created_at=user.get("UserCreateDate"))

    async def forget(self, email_hash: str) -> None:
        """Drop what is remembered of an address."""
        await self._state.delete(_key(email_hash))


def _key(email_hash: str) -> str:
    return f"account:{email_hash}"
