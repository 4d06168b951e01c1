"""Checks 21 to 25: sessions, with the real Node SDK."""

import jwt
import pytest

from tests.contract.accounts import track
from tests.contract.node import UNDEFINED, NodeError, NodeSdk
from tests.contract.simulator import Simulator

_CLIENT = "mobile-app"


def _proven_token(node: NodeSdk, simulator: Simulator, user_id: str, email: str) -> str:
    """A token whose challenge succeeded."""
    made = node.call("challenge", {"verificationMethod": "EMAIL_OTP", "action": "signIn", "email": email})
    node.call("verify", {"challengeId": made["challengeId"], "verificationCode": simulator.code(email)})
    token: str = node.call("claimChallenge", {"challengeId": made["challengeId"], "userId": user_id})["token"]
    return token


@pytest.fixture
def session(node: NodeSdk, simulator: Simulator, user_id: str, email: str) -> dict[str, str]:
    """The tokens of a session that just began."""
    token = _proven_token(node, simulator, user_id, email)
    tokens: dict[str, str] = node.call("createSession", {"clientId": _CLIENT, "token": token, "action": "signIn"})
    return tokens


def _refused(node: NodeSdk, method: str, request: dict[str, object], status: int = 401) -> None:
    with pytest.raises(NodeError) as caught:
        node.call(method, request)
    assert caught.value.status_code == status


def test_node_21_session_needs_a_proof(node: NodeSdk, simulator: Simulator, user_id: str, email: str) -> None:
    """
    A token that proves nothing begins no session; one that does gives two tokens, unless it is for another action.
    """
    _refused(node, "createSession", {"clientId": _CLIENT, "token": track(simulator, user_id)}, 400)
    _refused(node, "createSession", {"clientId": _CLIENT, "token": "garbage"})
    token = _proven_token(node, simulator, user_id, email)
    _refused(node, "createSession", {"clientId": _CLIENT, "token": token, "action": "payOut"}, 400)
    tokens = node.call("createSession", {"clientId": _CLIENT, "token": token})
    assert tokens["accessToken"] != tokens["refreshToken"]


def test_node_22_session_tells_whose_it_is(node: NodeSdk, session: dict[str, str], user_id: str, email: str) -> None:
    """
    Validating gives user, expiry in seconds and method; for clients that the session is not of, it rejects.
    """
    answer = node.call("validateSession", {"accessToken": session["accessToken"], "clientIds": [_CLIENT, "another"]})
    assert (answer["user"]["userId"], answer["user"]["email"]) == (user_id, email)
    assert isinstance(answer["expiresAt"], int)
    assert answer["verificationMethod"] == "EMAIL_OTP"
    _refused(node, "validateSession", {"accessToken": session["accessToken"], "clientIds": ["another"]})
    _refused(node, "validateSession", {"accessToken": session["refreshToken"]})


def test_node_23_refresh_replaces_both_tokens(node: NodeSdk, session: dict[str, str]) -> None:
    """
    Refreshing gives two new tokens; the access token and the refresh token before are worthless then.
    """
    fresh = node.call("refreshSession", {"refreshToken": session["refreshToken"]})
    assert not {*fresh.values()} & {*session.values()}
    assert node.call("validateSession", {"accessToken": fresh["accessToken"]})["verificationMethod"] == "EMAIL_OTP"
    _refused(node, "validateSession", {"accessToken": session["accessToken"]})
    _refused(node, "refreshSession", {"refreshToken": session["refreshToken"]})


def test_node_24_revoked_sessions_are_over(
    node: NodeSdk, simulator: Simulator, session: dict[str, str], user_id: str, email: str
) -> None:
    """
    Revoking one session leaves the user's other one; revoking all of the user's ends that as well.
    """
    token = _proven_token(node, simulator, user_id, email)
    other = node.call("createSession", {"clientId": _CLIENT, "token": token})
    assert node.call("revokeSession", {"accessToken": session["accessToken"]}) is UNDEFINED
    _refused(node, "validateSession", {"accessToken": session["accessToken"]})
    _refused(node, "refreshSession", {"refreshToken": session["refreshToken"]})
    assert node.call("validateSession", {"accessToken": other["accessToken"]})["user"]["userId"] == user_id
    assert node.call("revokeUserSessions", {"userId": user_id}) is UNDEFINED
    _refused(node, "validateSession", {"accessToken": other["accessToken"]})


def test_node_25_access_token_verifies_by_the_key_set(simulator: Simulator, session: dict[str, str], user_id: str) -> None:
    """
    The access token is RS256 under a key of the issuer's key set, for its client and its user; the issuer has a configuration.
    """
    issuer = f"{simulator.browser_url}/client/public/{simulator.tenant_id}"
    path = issuer.removeprefix(f"http://localhost:{simulator.port}")
    configuration = simulator.page(f"{path}/.well-known/openid-configuration").json()
    assert (configuration["issuer"], configuration["jwks_uri"]) == (issuer, f"{issuer}/.well-known/jwks")
    key = jwt.PyJWKClient(configuration["jwks_uri"]).get_signing_key_from_jwt(session["accessToken"])
    claims = jwt.decode(session["accessToken"], key, algorithms=["RS256"], audience=_CLIENT, issuer=issuer)
    assert claims["sub"] == user_id
    assert claims["exp"] > claims["iat"]
    assert simulator.page(f"{path}x/.well-known/jwks").status_code == 404


def test_session_ends_with_time(node: NodeSdk, simulator: Simulator, session: dict[str, str]) -> None:
    """
    An access token is refused past its life, while the session can be refreshed; the refresh token ends later.
    """
    simulator.advance(3_601)
    _refused(node, "validateSession", {"accessToken": session["accessToken"]})
    fresh = node.call("refreshSession", {"refreshToken": session["refreshToken"]})
    simulator.advance(31 * 86_400)
    _refused(node, "refreshSession", {"refreshToken": fresh["refreshToken"]})


def test_deleted_user_has_no_sessions(node: NodeSdk, session: dict[str, str], user_id: str) -> None:
    """
    Deleting a user ends their sessions.
    """
    node.call("deleteUser", {"userId": user_id})
    _refused(node, "validateSession", {"accessToken": session["accessToken"]})
