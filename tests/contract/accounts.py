"""Accounts as checks begin with them: made through the Server API, without an SDK."""

from typing import Any

from tests.contract.simulator import Simulator


def track(simulator: Simulator, user_id: str, *, action: str = "signIn", **attributes: object) -> str:
    """Track an action and give its token."""
    token: str = tracked(simulator, user_id, action=action, **attributes)["token"]
    return token


def tracked(simulator: Simulator, user_id: str, *, action: str = "signIn", **attributes: object) -> dict[str, Any]:
    """Track an action and give the whole answer."""
    answer = simulator.server_call("POST", f"/users/{user_id}/actions/{action}", attributes)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def enrol_email(simulator: Simulator, user_id: str, email: str) -> None:
    """Give a user a factor: codes to an address."""
    _enrol(simulator, user_id, {"verificationMethod": "EMAIL_OTP", "email": email})


def enrol_sms(simulator: Simulator, user_id: str, number: str) -> None:
    """Give a user a factor: codes to a phone number."""
    _enrol(simulator, user_id, {"verificationMethod": "SMS", "phoneNumber": number})


def _enrol(simulator: Simulator, user_id: str, body: dict[str, str]) -> None:
    answer = simulator.server_call("POST", f"/users/{user_id}/authenticators", body)
    assert answer.status_code == 200, answer.text


def enrol_phone(simulator: Simulator, user_id: str) -> str:
    """Give a user a phone that the simulator plays, and its id."""
    phone_id: str = simulator.control("POST", "/phones", {"user_id": user_id})["phone_id"]
    return phone_id


def decide(simulator: Simulator, phone_id: str, challenge_id: str, *, approved: bool) -> None:
    """Let the phone approve or decline."""
    body = {"challengeId": challenge_id, "approved": approved}
    assert simulator.control("POST", f"/phones/{phone_id}/decisions", body) == {"is_verified": approved}


def methods(simulator: Simulator, user_id: str) -> list[str]:
    """The methods that a user has."""
    found: list[str] = simulator.server_call("GET", f"/users/{user_id}").json()["enrolledVerificationMethods"]
    return found


def validated(simulator: Simulator, token: str) -> dict[str, Any]:
    """What the Server API says about a token."""
    body: dict[str, Any] = simulator.server_call("POST", "/validate", {"token": token}).json()
    return body
