"""
CUSTOM_AUTH, as AWS runs it.

Trigger events:
* AWS's ``userName`` is the real user name (the sub, in a pool of addresses); ministack's is what was typed.
* AWS adds ``cognito:user_status`` to the attributes; ministack does not.
* AWS tells Verify nothing of the session, the challenge's name or its public parameters; ministack does.
* AWS passes only RespondToAuthChallenge's ``ClientMetadata`` on; ministack also passes InitiateAuth's.
* A trigger that raises is ``UserLambdaValidationException`` on AWS, ``InvalidLambdaResponseException`` on ministack.

The dialogue:
* AWS gives a new ``Session`` with each challenge, good for one answer; ministack keeps one throughout.
* AWS names the user in ``ChallengeParameters.USERNAME`` and refuses an answer for anybody else; ministack does neither.
* AWS answers ``NotAuthorizedException`` to a used, made-up or foreign session; ministack ``InvalidParameterException``.
* AWS walks an unknown user through the triggers with ``userNotFound`` when the client hides who exists, under a made-up
  user name that is the same for the same name; ministack answers ``UserNotFoundException``.
"""

import base64
import contextlib
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import cognito

from deploy.local.emulator.sign_up import record_in, trigger_failure
from deploy.local.emulator.wrapping import Answer, Handler, body_of, refusal, success, wrap

Invoked = tuple[dict[str, Any] | None, Answer | None]

_TRIGGERS = {
    "DefineAuthChallenge": ("_build_define_auth_challenge_event", "_invoke_define_auth_challenge_trigger"),
    "CreateAuthChallenge": ("_build_create_auth_challenge_event", "_invoke_create_auth_challenge_trigger"),
    "VerifyAuthChallengeResponse": ("_build_verify_auth_challenge_event", "_invoke_verify_auth_challenge_trigger"),
}
_UNKNOWN_TO_VERIFY = ("session", "challengeName", "publicChallengeParameters")
_STAND_INS = uuid.UUID("4d7a2a52-5a1c-4a39-9a6b-0f2f6b1d7c11")
_WRONG = ("NotAuthorizedException", "Incorrect username or password.")
_BAD_SESSION = ("NotAuthorizedException", "Invalid session for the user.")


def apply() -> None:
    """Put the corrections in place."""
    for trigger, (build, invoke) in _TRIGGERS.items():
        wrap(cognito, build, _event_builder(trigger))
        wrap(cognito, invoke, _invoker(trigger))
    wrap(cognito, "_initiate_auth", _initiate_auth)
    wrap(cognito, "_respond_to_auth_challenge", _respond)


def _event_builder(trigger: str) -> Callable[..., dict[str, Any]]:
    def build(
        original: Callable[..., dict[str, Any]],
        pool_id: str,
        client_id: str,
        username: str,
        attributes: dict[str, Any],
        session: dict[str, Any],
        *rest: Any,
    ) -> dict[str, Any]:
        event = original(pool_id, client_id, username, attributes, session, *rest)
        user = _user(pool_id, username)
        event["userName"] = _name(pool_id, username)
        request = event["request"]
        request["userNotFound"] = user is None
        request["userAttributes"] = {**attributes, "cognito:user_status": user.get("UserStatus", "CONFIRMED")} if user else {}
        if trigger == "VerifyAuthChallengeResponse":
            for name in _UNKNOWN_TO_VERIFY:
                request.pop(name, None)
        return event

    return build


def _invoker(trigger: str) -> Callable[..., Invoked]:
    def invoke(original: Callable[..., Invoked], *args: Any, **kwargs: Any) -> Invoked:
        payload, error = original(*args, **kwargs)
        if error is not None:
            _, raised, record = str(body_of(error).get("message", "")).partition(" returned error: ")
            if raised:
                return None, trigger_failure(trigger, record_in(record))
        return payload, error

    return invoke


def _initiate_auth(original: Handler, data: dict[str, Any]) -> Answer:
    if data.get("AuthFlow") != "CUSTOM_AUTH":
        return original(data)
    data = {key: value for key, value in data.items() if key != "ClientMetadata"}
    client_id, parameters = data.get("ClientId", ""), data.get("AuthParameters") or {}
    pool, pool_id = cognito._pool_for_client(client_id)
    username = parameters.get("USERNAME")
    if pool is None or not username:
        return original(data)
    if _user(pool_id, username) is None and cognito._hides_user_existence(pool, client_id):
        return _start_unknown(pool_id, client_id, parameters)
    return _renewed(original(data))


def _start_unknown(pool_id: str, client_id: str, parameters: dict[str, Any]) -> Answer:
    token, session = cognito._create_challenge_session(pool_id, client_id, parameters["USERNAME"])
    session["unknown_user"] = True
    if parameters.get("SRP_A") or parameters.get("CHALLENGE_NAME") == "SRP_A":
        cognito._append_challenge_to_session(session, "SRP_A", True, None, {}, {})
    return _define_unknown(token, session, {})


def _respond(original: Handler, data: dict[str, Any]) -> Answer:
    if data.get("ChallengeName") != "CUSTOM_CHALLENGE":
        return original(data)
    token = data.get("Session") or ""
    session = cognito._challenge_sessions.get(token)
    problem = _problem_with(session, token, data)
    if problem is not None:
        return problem
    if session.get("unknown_user"):
        return _answer_unknown(token, session, data)
    return _renewed(original(data))


def _problem_with(session: dict[str, Any] | None, token: str, data: dict[str, Any]) -> Answer | None:
    if session is None or session["client_id"] != data.get("ClientId"):
        return refusal(*_BAD_SESSION)
    if time.time() > session["expires_at"]:
        cognito._challenge_sessions.pop(token, None)
        return refusal("NotAuthorizedException", "Invalid session for the user, session is expired.")
    named = (data.get("ChallengeResponses") or {}).get("USERNAME")
    if not named:
        return refusal("InvalidParameterException", "Missing required parameter USERNAME")
    if named not in {session["username"], _name(session["pool_id"], session["username"])}:
        return refusal(*_BAD_SESSION)
    return None


def _answer_unknown(token: str, session: dict[str, Any], data: dict[str, Any]) -> Answer:
    metadata = data.get("ClientMetadata") or {}
    answer = data["ChallengeResponses"].get("ANSWER", "")
    verified, error = cognito._invoke_verify_auth_challenge_trigger(
        session["pool_id"], session["client_id"], session["username"], {}, session, answer, metadata
    )
    if error:
        return _as_answer(error)
    correct = bool(((verified or {}).get("response") or {}).get("answerCorrect"))
    cognito._update_pending_challenge_result(session, correct)
    return _define_unknown(token, session, metadata)


def _define_unknown(token: str, session: dict[str, Any], metadata: dict[str, Any]) -> Answer:
    """Ask Define what comes next for somebody who does not exist; whatever it says, nobody gets tokens."""
    defined, error = cognito._invoke_define_auth_challenge_trigger(
        session["pool_id"], session["client_id"], session["username"], {}, session, metadata
    )
    if error or ((defined or {}).get("response") or {}).get("issueTokens"):
        cognito._challenge_sessions.pop(token, None)
        return _as_answer(error) if error else refusal(*_WRONG)
    following = cognito._continue_custom_auth_after_define(token, session, None, {}, metadata, defined)
    return _renewed(_as_answer(following))


def _renewed(answer: Answer) -> Answer:
    """Give a challenge its new session string and its USERNAME; give a failure AWS's words."""
    body = body_of(answer)
    if body.get("ChallengeName") == "CUSTOM_CHALLENGE":
        token = base64.b64encode(secrets.token_bytes(96)).decode()
        session = cognito._challenge_sessions.pop(body["Session"])
        cognito._challenge_sessions[token] = session
        named = {"USERNAME": _name(session["pool_id"], session["username"])}
        return success({**body, "Session": token, "ChallengeParameters": {**named, **body["ChallengeParameters"]}})
    if answer[0] == 400 and body.get("message") == "Incorrect username or password":
        return refusal(*_WRONG)
    return answer


def _user(pool_id: str, username: str) -> dict[str, Any] | None:
    with contextlib.suppress(KeyError):
        user: dict[str, Any] | None = cognito._resolve_user(cognito._user_pools[pool_id], username)[0]
        return user
    return None


def _name(pool_id: str, username: str) -> str:
    """Return the real user name: of an unknown user, one that is made up of the name and tells nobody that it is."""
    user = _user(pool_id, username)
    return user["Username"] if user else str(uuid.uuid5(_STAND_INS, f"{pool_id} {username.lower()}"))


def _as_answer(value: Any) -> Answer:
    answer: Answer = value
    return answer
