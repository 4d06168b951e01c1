"""
Accounts that stand in the way of a sign-up: they have its address, and Cognito does not call it verified.

Anybody can make such an account through the direct client, for any address. Whoever has proven the address through us must not
be kept out by it, nor be let into another's account:

1. Where Authsignal has proven this very address for that account, it is the same person's, who came through the direct client
   first: the account is theirs, and its address is verified from now on.
2. Otherwise the address is taken from it, and goes to a new account. The other keeps its sub, its factors and its data, so that
   nothing is lost if it is somebody's who mistyped an address; no sign-in by the address has ever led to it.
"""

from msgspec.structs import replace

from services.gateway.attempts.drafts import draft_of
from services.gateway.attempts.model import Attempt
from services.gateway.cognito.directory import Directory
from services.gateway.recorder import Recorder
from shared.challenge_api import AddressRequest, ChallengeService
from shared.events import CognitoRef, EventType, Outcome
from shared.http.context import RequestContext


class UnprovenAccounts:
    """Settles whose an address is, once it was proven."""

    def __init__(self, *, directory: Directory, challenges: ChallengeService, recorder: Recorder) -> None:
        self._directory = directory
        self._challenges = challenges
        self._recorder = recorder

    async def owner(self, context: RequestContext, attempt: Attempt) -> str | None:
        """
        Return the account of whoever just proved the attempt's address; None when the address is free for a new one.

        Raises:
            CognitoRefused, CognitoUnreachable: Cognito did not go along; the next attempt for this address goes on from here.
            Problem: Authsignal could not be asked.
        """
        sub = await self._directory.unproven(attempt.email)
        if sub is None:
            return None
        answer = await self._challenges.address(AddressRequest(sub=sub, email=attempt.email))
        event_type = EventType.ACCOUNT_ADDRESS_VERIFIED if answer.is_proven else EventType.ACCOUNT_ADDRESS_RELEASED
        begun = draft_of(replace(attempt, sub=sub), event_type, Outcome.PENDING)
        begun = replace(begun, cognito=CognitoRef(operation="AdminUpdateUserAttributes"))
        await self._recorder.record(context, begun)
        if answer.is_proven:
            await self._directory.verify_address(sub)
        else:
            await self._directory.release_address(sub)
        await self._recorder.record(context, replace(begun, outcome=Outcome.SUCCESS))
        return sub if answer.is_proven else None
