"""A person's authenticators: a token to add one with, the list, names, and removal."""

from collections.abc import Sequence
from typing import Final

from services.challenge import policy
from services.challenge.authsignal.answers import Authenticator
from services.challenge.authsignal.provider import Authsignal
from services.challenge.direct.policy import knows_address, proves_address
from services.challenge.recording import ChallengeRecorder
from services.challenge.removals import only_removal
from shared.challenge_api import (
    ACTION_MANAGE_AUTHENTICATORS,
    AddressAnswer,
    AddressRequest,
    AuthenticatorAnswer,
    AuthenticatorRequest,
    AuthenticatorsAnswer,
    ChallengeAnswer,
    EnrolRequest,
    PersonRemoved,
    PersonRequest,
    Verdict,
)
from shared.events import EventType, normal_address
from shared.http.context import RequestContext
from shared.problems import LastAuthenticator, NotFound, Problem
from shared.state import StateStore

SCOPE_ADD: Final = "add:authenticators"
# Authsignal keeps no names of authenticators; the user's custom data does, under this prefix and the authenticator's id.
NAME_PREFIX: Final = "authenticatorName-"


class Authenticators:
    """Everything that the handlers of authenticators need. Whether a person may change any is the gateway's to decide."""

    def __init__(self, *, provider: Authsignal, recorder: ChallengeRecorder, state: StateStore) -> None:
        self._provider = provider
        self._recorder = recorder
        self._state = state

    async def enrol(self, request: EnrolRequest, context: RequestContext) -> ChallengeAnswer:
        """Return a token with which the browser may add one authenticator, unless the rules say no."""
        attributes = {
            "idempotencyKey": request.idempotency_key,
            "email": normal_address(request.email),
            "scope": SCOPE_ADD,
            "ipAddress": request.client.ip,
            "userAgent": request.client.user_agent,
            "deviceId": request.client.device_id,
        }
        action = ACTION_MANAGE_AUTHENTICATORS
        try:
            tracked = await self._provider.track(request.sub, action, attributes)
        except Problem as problem:
            await self._recorder.record_fault(request, context, problem, action=action, sub=request.sub)
            raise
        verdict = policy.after_track(tracked.state)
        await self._recorder.record(
            request,
            context,
            EventType.ACTION_TRACKED,
            verdict,
            action=action,
            idempotency_key=request.idempotency_key,
            sub=request.sub,
            email=request.email,
            state=tracked.state,
            rule_ids=tracked.rule_ids,
        )
        token = tracked.token if verdict is Verdict.CHALLENGED else None
        return ChallengeAnswer(verdict=verdict, track_token=token)

    async def has_proven(self, request: AddressRequest) -> AddressAnswer:
        """Say whether a person has proven this very address here."""
        details = await self._provider.user_details(request.sub)
        is_proven = knows_address(details, request.email) or proves_address(
            await self._provider.authenticators(request.sub), request.email
        )
        return AddressAnswer(is_proven=is_proven)

    async def list(self, request: PersonRequest) -> AuthenticatorsAnswer:
        """Return a person's verified authenticators, oldest first."""
        return await self._list(request.sub)

    async def rename(self, request: AuthenticatorRequest) -> AuthenticatorsAnswer:
        """Give an authenticator a name; the gateway records it."""
        await self._require(request)
        details = await self._provider.user_details(request.sub)
        names = {**details.custom, f"{NAME_PREFIX}{request.authenticator_id}": request.name}
        await self._provider.set_custom(request.sub, names)
        return await self._list(request.sub)

    async def remove(self, request: AuthenticatorRequest) -> AuthenticatorsAnswer:
        """
        Remove an authenticator; the gateway records it.

        Raises:
            LastAuthenticator: Nothing would be left to sign in with.
            Conflict: Another removal of this person's is under way.
        """
        async with only_removal(self._state, request.sub):
            owned = await self._require(request)
            if sum(one.verified_at is not None for one in owned) <= 1:
                raise LastAuthenticator
            await self._provider.remove_authenticator(request.sub, request.authenticator_id)
        return await self._list(request.sub)

    async def remove_person(self, request: PersonRequest) -> PersonRemoved:
        """
        Remove a person with all authenticators, whose account is to be deleted; the gateway records it.

        Raises:
            Conflict: A removal of one of the authenticators is under way.
        """
        async with only_removal(self._state, request.sub):
            await self._provider.delete_user(request.sub)
        return PersonRemoved()

    async def _require(self, request: AuthenticatorRequest) -> Sequence[Authenticator]:
        owned = await self._provider.authenticators(request.sub)
        if all(one.user_authenticator_id != request.authenticator_id for one in owned):
            raise NotFound("authenticator")
        return owned

    async def _list(self, sub: str) -> AuthenticatorsAnswer:
        found = await self._provider.authenticators(sub)
        details = await self._provider.user_details(sub)
        shown = (
            _view(one, details.custom.get(f"{NAME_PREFIX}{one.user_authenticator_id}"))
            for one in found
            if one.verified_at is not None
        )
        return AuthenticatorsAnswer(authenticators=tuple(sorted(shown, key=lambda one: one.created_at)))


def _view(one: Authenticator, given_name: str | float | bool | None) -> AuthenticatorAnswer:
    credential = one.webauthn_credential
    maker = credential.aaguid_mapping if credential is not None else None
    own_name = (credential.name if credential is not None else None) or (maker.name if maker is not None else None)
    return AuthenticatorAnswer(
        id=one.user_authenticator_id,
        method=one.verification_method,
        created_at=one.created_at,
        is_default=one.is_default,
        last_used_at=one.last_verified_at,
        name=given_name if isinstance(given_name, str) else own_name,
        detail=policy.masked_detail(one),
        icon_light=maker.svg_icon_light if maker is not None else None,
        icon_dark=maker.svg_icon_dark if maker is not None else None,
    )
