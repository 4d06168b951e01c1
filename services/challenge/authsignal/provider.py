"""
Authsignal's Server API, as far as we use it.

Safe to repeat: track (it carries our idempotency key), validate, reading. Never repeated: challenge (sends mail), verify (a
wrong code counts), claim and enrol (their effect may have happened).
"""

import json
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

from authsignal.client import AuthsignalClient

from services.challenge.authsignal.answers import (
    ActionAnswer,
    Authenticator,
    Challenged,
    Claimed,
    Enrolled,
    Removed,
    Tracked,
    Updated,
    User,
    UserDetails,
    Validated,
    Verified,
)
from services.challenge.authsignal.calls import Caller
from services.challenge.authsignal.transport import Answer, AwaitedSession
from shared import problems
from shared.ids import is_action_code, is_uuid

Attributes = dict[str, Any]


class Authsignal:
    """
    The provider.

    Args:
        session: The transport.
        api_url: Base URL with ``/v1``.
        secret_key: Server API key.
        caller: Makes the calls.
    """

    def __init__(
        self,
        session: AwaitedSession,
        *,
        api_url: str,
        secret_key: str,
        caller: Caller,
    ) -> None:
        self._api_url = api_url
        self._caller = caller
        self._session = session
        self._sdk: Any = AuthsignalClient(secret_key, api_url=api_url)
        self._sdk.session = self._session

    async def track(self, user_id: str, action: str, attributes: Attributes) -> Tracked:
        """Track an action; `attributes` must carry ``idempotencyKey``, which makes a retry safe."""
        _check_ids(user_id, action)
        return await self._caller.ask(
            "track", lambda: self._sdk.track(user_id, action, _present(attributes)), Tracked, safe=True
        )

    async def validate(self, token: str, *, user_id: str, action: str) -> Validated:
        """Ask what became of the action that a token belongs to."""
        _check_ids(user_id, action)
        attributes = {"token": token, "userId": user_id, "action": action}
        return await self._caller.ask("validate", lambda: self._sdk.validate_challenge(attributes), Validated, safe=True)

    async def validate_anybody(self, token: str, *, action: str) -> Validated:
        """As `validate`, for a token whose owner only Authsignal knows: a passkey that was used without a name."""
        _check_ids(None, action)
        attributes = {"token": token, "action": action}
        return await self._caller.ask("validate", lambda: self._sdk.validate_challenge(attributes), Validated, safe=True)

    async def action_state(self, user_id: str, action: str, idempotency_key: str) -> str:
        """Return how an action stands now."""
        _check_ids(user_id, action, key=idempotency_key)
        call = lambda: self._sdk.get_action(user_id, action, idempotency_key)  # noqa: E731 - a call, maybe made more than once
        return (await self._caller.ask("get_action", call, ActionAnswer, safe=True)).state

    async def set_action_state(self, user_id: str, action: str, idempotency_key: str, state: str) -> str:
        """Decide about an action; return how it stands then. Repeating it changes nothing more."""
        _check_ids(user_id, action, key=idempotency_key)
        call = lambda: self._sdk.update_action(user_id, action, idempotency_key, {"state": state})  # noqa: E731 - as above
        return (await self._caller.ask("update_action", call, ActionAnswer, safe=True)).state

    async def challenge(self, attributes: Attributes) -> Challenged:
        """Send a code from the server's side."""
        return await self._caller.ask("challenge", lambda: self._post("/challenge", attributes), Challenged)

    async def verify(self, challenge_id: str, code: str) -> Verified:
        """Check a code from the server's side."""
        attributes = {"challengeId": challenge_id, "verificationCode": code}
        return await self._caller.ask("verify", lambda: self._post("/verify", attributes), Verified)

    async def claim(self, challenge_id: str, user_id: str) -> Claimed:
        """Tie a verified challenge to a user."""
        _check_ids(user_id)
        attributes = {"challengeId": challenge_id, "userId": user_id}
        return await self._caller.ask("claim", lambda: self._post("/claim", attributes), Claimed)

    async def get_user(self, user_id: str) -> User:
        """Read a user."""
        _check_ids(user_id)
        return await self._caller.ask("get_user", lambda: self._sdk.get_user(user_id), User, safe=True)

    async def probe(self, *, is_repeated: bool) -> None:
        """Read a user that does not exist, which is answered like any other: return when it is, else raise as every call."""
        nobody = str(uuid4())
        await self._caller.ask("probe", lambda: self._sdk.get_user(nobody), User, safe=is_repeated)

    async def enroll_verified_email(self, user_id: str, email: str) -> None:
        """Enrol an address that was proven elsewhere as an e-mail authenticator."""
        _check_ids(user_id)
        attributes = {"verificationMethod": "EMAIL_OTP", "email": email}
        await self._caller.ask("enroll", lambda: self._sdk.enroll_verified_authenticator(user_id, attributes), Enrolled)

    async def authenticators(self, user_id: str) -> list[Authenticator]:
        """List a person's authenticators."""
        _check_ids(user_id)
        call = lambda: self._sdk.get_authenticators(user_id)  # noqa: E731 - a call to be made, maybe more than once
        return await self._caller.ask("authenticators", call, list[Authenticator], safe=True)

    async def user_details(self, user_id: str) -> UserDetails:
        """Read what the account page needs of a user."""
        _check_ids(user_id)
        return await self._caller.ask("get_user", lambda: self._sdk.get_user(user_id), UserDetails, safe=True)

    async def set_custom(self, user_id: str, custom: Attributes) -> None:
        """Replace a user's custom data."""
        _check_ids(user_id)
        attributes = {"custom": custom}
        await self._caller.ask("update_user", lambda: self._sdk.update_user(user_id, attributes), Updated, safe=True)

    async def confirm_email(self, user_id: str, email: str) -> None:
        """Note that a user's address was proven; factors that use another address would be moved to this one."""
        _check_ids(user_id)
        attributes = {"email": email, "emailVerified": True}
        await self._caller.ask("update_user", lambda: self._sdk.update_user(user_id, attributes), Updated, safe=True)

    async def remove_authenticator(self, user_id: str, authenticator_id: str) -> None:
        """Remove one of a person's authenticators; repeating it removes nothing more."""
        _check_ids(user_id, authenticator_id=authenticator_id)
        # The SDK's own method drops the response, so that nothing could be awaited.
        url = f"{self._api_url}/users/{user_id}/authenticators/{authenticator_id}"
        await self._caller.ask("remove_authenticator", lambda: self._session.request("DELETE", url, None), Removed)

    async def delete_user(self, user_id: str) -> None:
        """Remove a user with all authenticators; one that is not there is as good."""
        _check_ids(user_id)
        await self._caller.ask("delete_user", lambda: self._delete_user(user_id), Removed, safe=True)

    async def _delete_user(self, user_id: str) -> Answer:
        # The SDK's own method drops the response, so that nothing could be awaited.
        answer = await self._session.request("DELETE", f"{self._api_url}/users/{user_id}", None)
        return Answer(200, b"") if answer.status == 404 else answer

    def _post(self, path: str, attributes: Attributes) -> Coroutine[Any, Any, Answer]:
        # The Python SDK has no method for these endpoints; the transport is the same.
        return self._session.request("POST", self._api_url + path, json.dumps(_present(attributes)))


def _present(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}


def _check_ids(
    user_id: str | None, action: str | None = None, *, authenticator_id: str | None = None, key: str | None = None
) -> None:
    # The SDK would put "a/../b" into a path as it is: nothing but a UUID and an action code may come here.
    if user_id is not None and not is_uuid(user_id):
        raise problems.InvalidRequest("user id is no UUID")
    if action is not None and not is_action_code(action):
        raise problems.InvalidRequest("not an action code")
    if key is not None and not is_uuid(key):
        raise problems.InvalidRequest("idempotency key is no UUID")
    # An authenticator's id is opaque, and of the same characters as an action code.
    if authenticator_id is not None and not is_action_code(authenticator_id):
        raise problems.NotFound("not an authenticator id")
