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
        account = _usable(await self._get(email))
        if account is not None:
            await self._state.put(key, self._sealer.seal(key, msgspec.json.encode(account)), ttl_seconds=REMEMBER_SECONDS)
        return account

    async def look_up(self, username: str) -> Account | None:
        """Ask Cognito about a sub or an address, past what is remembered."""
        await self._quota.take("AdminGetUser")
        return _usable(await self._get(username))

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

    async def unproven(self, email: str) -> str | None:
        """Return the sub of the enabled account that has an address which Cognito does not call verified, or None."""
        await self._quota.take("AdminGetUser")
        user = await self._get(email)
        if user is None or not user.enabled or _usable(user) is not None:
            return None
        return _attributes(user)["sub"]

    async def verify_address(self, sub: str) -> None:
        """Call an account's address verified."""
        await self._change(sub, {"email_verified": "true"})

    async def release_address(self, sub: str) -> None:
        """
        Take the address from an account; the one that it gets instead is nobody's, and no mail can go there.

        A pool that wants new addresses verified first changes them at once only for an administrator who calls them verified;
        so that is taken back by a second call. A fault in between leaves an account that its mail cannot open.

        Source: AttributesRequireVerificationBeforeUpdate in the Cognito API reference; RFC 6761 section 6.4.
        """
        await self._change(sub, {"email": f"{sub}@unproven.invalid", "email_verified": "true"})
        await self._change(sub, {"email_verified": "false"})

    async def _change(self, sub: str, attributes: dict[str, str]) -> None:
        operation = "AdminUpdateUserAttributes"
        await self._quota.take(operation)
        changes = [{"Name": name, "Value": value} for name, value in attributes.items()]
        body = {"UserPoolId": self._user_pool_id, "Username": sub, "UserAttributes": changes}
        try:
            await self._cognito.call(operation, body)
        except AwsRefused as refusal:
            raise CognitoRefused(operation, refusal.code) from refusal
        except AwsUnreachable as error:
            raise CognitoUnreachable(str(error)) from error

    async def _get(self, username: str) -> _User | None:
        answer = await self._ask("AdminGetUser", username)
        return None if answer is None else msgspec.json.decode(answer, type=_User)

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


def _usable(user: _User | None) -> Account | None:
    if user is None:
        return None
    attributes = _attributes(user)
    is_usable = user.enabled and attributes.get("email_verified") == "true"
    if not is_usable:
        # An address that was never proven is nobody's: whoever proves it now must not get the account of another.
        return None
    created_at = datetime.fromtimestamp(user.user_create_date, UTC) if user.user_create_date is not None else None
    return Account(sub=attributes["sub"], email=attributes["email"], created_at=created_at)


def _attributes(user: _User) -> dict[str, str]:
    return {attribute.name: attribute.value for attribute in user.user_attributes}


def _key(email_hash: str) -> str:
    return f"account:{email_hash}"
