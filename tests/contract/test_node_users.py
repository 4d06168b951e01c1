"""Checks of users and authenticators with the real Node SDK."""

import pytest

from tests.contract.node import UNDEFINED, NodeError, NodeSdk

_PHONE = "+64211234567"


def test_node_01_unknown_user_is_not_enrolled(node: NodeSdk, user_id: str) -> None:
    """
    Reading a user that nobody mentioned resolves, with isEnrolled false; there is no 404.
    """
    assert node.call("getUser", {"userId": user_id})["isEnrolled"] is False


def test_node_02_wrong_secret_is_unauthorized(node: NodeSdk, user_id: str) -> None:
    """
    A wrong secret key rejects with 401, the code and the exact words of the service.
    """
    with pytest.raises(NodeError) as caught:
        node.call("getUser", {"userId": user_id}, secret_key="not-the-key")
    assert caught.value.is_authsignal_error
    assert caught.value.status_code == 401
    assert caught.value.error_code == "unauthorized"
    assert caught.value.error_description == (
        "The request is unauthorized. Check that your API key and region base URL are correctly configured."
    )


def _enrol_phone(node: NodeSdk, user_id: str) -> str:
    attributes = {"verificationMethod": "SMS", "phoneNumber": _PHONE}
    answer = node.call("enrollVerifiedAuthenticator", {"userId": user_id, "attributes": attributes})
    assert answer["authenticator"]["userId"] == user_id
    assert answer["authenticator"]["phoneNumber"] == _PHONE
    authenticator_id: str = answer["authenticator"]["userAuthenticatorId"]
    return authenticator_id


def test_node_03_enrolled_by_phone_has_no_email(node: NodeSdk, user_id: str) -> None:
    """
    Enrolling a phone number makes a user enrolled, and leaves their e-mail address undefined.
    """
    _enrol_phone(node, user_id)
    user = node.call("getUser", {"userId": user_id})
    assert user["isEnrolled"] is True
    assert "email" not in user


def test_node_04_authenticators_are_a_list_until_deleted(node: NodeSdk, user_id: str) -> None:
    """
    The authenticators of a user are an array, and an empty one after the only one was deleted.
    """
    authenticator_id = _enrol_phone(node, user_id)
    assert [item["verificationMethod"] for item in node.call("getAuthenticators", {"userId": user_id})] == ["SMS"]
    deleted = node.call("deleteAuthenticator", {"userId": user_id, "userAuthenticatorId": authenticator_id})
    assert deleted is UNDEFINED
    assert node.call("getAuthenticators", {"userId": user_id}) == []


def test_node_05_update_echoes_every_attribute(node: NodeSdk, user_id: str, email: str) -> None:
    """
    Updating a user answers with each attribute as it is stored, custom ones included.
    """
    attributes = {
        "email": email,
        "emailVerified": True,
        "phoneNumber": _PHONE,
        "phoneNumberVerified": True,
        "username": "mere",
        "displayName": "Mere Tane",
        "custom": {"plan": "gold", "seats": 3, "beta": True},
    }
    answer = node.call("updateUser", {"userId": user_id, "attributes": attributes})
    assert attributes.items() <= answer.items()
    assert attributes.items() <= node.call("getUser", {"userId": user_id}).items()


def test_node_06_deleted_user_is_not_enrolled(node: NodeSdk, user_id: str) -> None:
    """
    Deleting a user resolves to undefined; the id then reads like one that was never mentioned.
    """
    _enrol_phone(node, user_id)
    assert node.call("deleteUser", {"userId": user_id}) is UNDEFINED
    assert node.call("getUser", {"userId": user_id})["isEnrolled"] is False
    assert node.call("getAuthenticators", {"userId": user_id}) == []


def test_node_16_users_are_found_by_email_page_by_page(node: NodeSdk, user_id: str, email: str) -> None:
    """
    A search by address finds every user who has it, at most `limit` at a time, and names the last one while more follow.
    """
    ids = sorted(f"{user_id}-{number}" for number in range(3))
    for one in ids:
        node.call("updateUser", {"userId": one, "attributes": {"email": email}})

    first = node.call("queryUsers", {"email": email, "limit": 1})
    assert [user["userId"] for user in first["users"]] == ids[:1]
    assert first["lastEvaluatedUserId"] == ids[0]

    rest = node.call("queryUsers", {"email": email, "limit": 2, "lastEvaluatedUserId": ids[0]})
    assert [user["userId"] for user in rest["users"]] == ids[1:]
    assert "lastEvaluatedUserId" not in rest


def test_verified_address_repoints_the_authenticator(node: NodeSdk, user_id: str, email: str) -> None:
    """
    A new address said to be verified becomes that of the user's e-mail factor; one not said to be verified does not.
    """
    attributes = {"verificationMethod": "EMAIL_OTP", "email": email}
    node.call("enrollVerifiedAuthenticator", {"userId": user_id, "attributes": attributes})

    unproven = node.call("updateUser", {"userId": user_id, "attributes": {"email": "unproven@example.test"}})
    assert unproven["emailVerified"] is False
    assert [item["email"] for item in node.call("getAuthenticators", {"userId": user_id})] == [email]

    node.call("updateUser", {"userId": user_id, "attributes": {"email": "new@example.test", "emailVerified": True}})
    assert [item["email"] for item in node.call("getAuthenticators", {"userId": user_id})] == ["new@example.test"]


def test_same_address_twice_is_one_authenticator(node: NodeSdk, user_id: str, email: str) -> None:
    """
    Enrolling a verified address again, in whatever case, gives the authenticator that is there.
    """
    ids = {
        node.call(
            "enrollVerifiedAuthenticator",
            {"userId": user_id, "attributes": {"verificationMethod": "EMAIL_OTP", "email": address}},
        )["authenticator"]["userAuthenticatorId"]
        for address in (email, email.upper())
    }
    assert len(ids) == 1


def test_unsupported_method_names_the_supported_ones(node: NodeSdk, user_id: str) -> None:
    """
    Enrolling by a method that cannot be imported is an invalid request whose words list those that can.
    """
    with pytest.raises(NodeError, match="EMAIL_OTP") as caught:
        node.call("enrollVerifiedAuthenticator", {"userId": user_id, "attributes": {"verificationMethod": "PALM"}})
    assert (caught.value.status_code, caught.value.error_code) == (400, "invalid_request")
