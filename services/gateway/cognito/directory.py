"""From an address to an account: AdminGetUser, remembered for a few minutes under the address's keyed hash; and its end."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

from services.gateway.cognito.faults import THROTTLED, CognitoRefused, CognitoUnreachable
from services.gateway.cognito.quota import CognitoQuota
from services.gateway.sealing import Sealer
from shared.aws_json import AwsJson, AwsRefused, AwsUnreachable
from shared.state import StateStore

REMEMBER_SECONDS: Final = 300
PAUSE_SECONDS: Final = 0.1


class _Attribute(Struct, frozen=True, rename="pascal"):
    name: str
    value: str = ""


class _User(Struct, frozen=True, rename="pascal"):
    """AdminGetUser's answer; `user_create_date` is in Unix seconds."""

    user_attributes: list[_Attribute]
    enabled: bool = False
    user_create_date: float | None = None


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

    def __init__(self, cognito: AwsJson, *, user_pool_id: str, state: StateStore, sealer: Sealer, quota: CognitoQuota) -> None:
        self._cognito = cognito
        self._quota = quota
        self._user_pool_id = user_pool_id
        self._state = state
        self._sealer = sealer

    async def find(self, email: str, email_hash: str) -> Account | None:
        """
        Return the enabled account of an address, or None. Its place in Cognito's quota was taken when the attempt began.

        Raises:
            CognitoRefused, CognitoUnreachable: Cognito did not say.
        """
        key = _key(email_hash)
        remembered = await self._state.get(key)
        if remembered is not None:
            opened = self._sealer.open(key, remembered)
            if opened is not None:
                return msgspec.json.decode(opened, type=Account)
        account = _usable(await self._ask("AdminGetUser", email))
        if account is not None:
            await self._state.put(key, self._sealer.seal(key, msgspec.json.encode(account)), ttl_seconds=REMEMBER_SECONDS)
        return account

    async def look_up(self, username: str) -> Account | None:
        """Ask Cognito about a sub or an address, past what is remembered."""
        await self._quota.take("AdminGetUser")
        return _usable(await self._ask("AdminGetUser", username))

    async def delete(self, sub: str, email_hash: str) -> None:
        """
        Delete an account; one that is gone already is as good.

        Raises:
            CognitoRefused, CognitoUnreachable: Cognito did not say that it did.
        """
        await self._quota.take("AdminDeleteUser")
        await self._ask("AdminDeleteUser", sub)
        # Only now: whoever asked meanwhile would have had it remembered once more.
        await self.forget(email_hash)

    async def _ask(self, operation: str, username: str) -> bytes | None:
        """Return the answer about one account, or None when there is no such account."""
        # Safe to repeat, reading and deleting alike: once more after a fault of Cognito's, or none of anybody's.
        for is_last in (False, True):
            try:
                return await self._cognito.call(operation, {"UserPoolId": self._user_pool_id, "Username": username})
            except AwsRefused as refusal:
                if refusal.code == "UserNotFoundException":
                    return None
                if is_last or (refusal.status < 500 and refusal.code not in THROTTLED):
                    raise CognitoRefused(operation, refusal.code) from refusal
            except AwsUnreachable as error:
                if is_last:
                    raise CognitoUnreachable(str(error)) from error
            await asyncio.sleep(PAUSE_SECONDS * (1 + random.random()))  # noqa: S311 - jitter
        raise AssertionError("the last try returns or raises")

    async def forget(self, email_hash: str) -> None:
        """Drop what is remembered of an address."""
        await self._state.delete(_key(email_hash))


def _usable(answer: bytes | None) -> Account | None:
    if answer is None:
        return None
    user = msgspec.json.decode(answer, type=_User)
    attributes = {attribute.name: attribute.value for attribute in user.user_attributes}
    is_usable = user.enabled and attributes.get("email_verified") == "true"
    if not is_usable:
        # An address that was never proven is nobody's: whoever proves it now must not get the account of another.
        return None
    created_at = datetime.fromtimestamp(user.user_create_date, UTC) if user.user_create_date is not None else None
    return Account(sub=attributes["sub"], email=attributes["email"], created_at=created_at)


def _key(email_hash: str) -> str:
    return f"account:{email_hash}"
