"""A small story in the log, and what filter expressions find in it."""

from shared.events import Actor, AuthsignalRef, Client, CognitoRef, EventType, HttpRef, Outcome, Subject, email_hash
from tests.integration.audit.lab import Author, at
from tests.integration.audit.service import EMAIL_HASH_KEY

ADA, BOB = "3f2b0c9a-0000-4000-8000-00000000000a", "3f2b0c9a-0000-4000-8000-00000000000b"
ADDRESS = email_hash("ada@example.test", EMAIL_HASH_KEY.encode())
ATTEMPT, SESSION, DEVICE = "0192f000-0000-7000-8000-0000000000aa", "session-a", "0192f000-0000-7000-8000-0000000000dd"
FIREFOX, CURL = "Mozilla/5.0 Firefox/140.0", "curl/8.14.1 (100%_\\)"
# The story ends before the service's own events begin.
THEN = ("to", "2026-11-01T01:00:00Z")


def story(author: Author) -> dict[str, bytes]:
    """Return a small log, each event under a name."""
    home = Client(ip="192.0.2.10", user_agent=FIREFOX, country="DE", device_id=DEVICE)
    away = Client(ip="198.51.100.7", user_agent=CURL, country="BR")
    ada = Subject(sub=ADA, email_hash=ADDRESS)
    return {
        "start": author.entry(
            occurred_at=at(10),
            subject=ada,
            client=home,
            attempt_id=ATTEMPT,
            outcome=Outcome.SUCCESS,
            data={"fast": True, "try": 1},
        ),
        "sent": author.entry(
            event_type=EventType.CHALLENGE_SENT,
            occurred_at=at(11),
            subject=ada,
            attempt_id=ATTEMPT,
            authsignal=AuthsignalRef(action="signIn", method="EMAIL_OTP", state="CHALLENGE_REQUIRED"),
            http=HttpRef(method="POST", route="/v1/attempts/{id}/challenges", status=202),
        ),
        "wrong": author.entry(
            event_type=EventType.SIGN_IN_FAILED,
            outcome=Outcome.FAILURE,
            reason="wrong_code",
            occurred_at=at(12),
            subject=ada,
            client=home,
            attempt_id=ATTEMPT,
            data={"try": 2, "note": "Late", "nested": {"deep": None}},
        ),
        "session": author.entry(
            event_type=EventType.SESSION_CREATED,
            occurred_at=at(13),
            subject=ada,
            client=home,
            attempt_id=ATTEMPT,
            session_ref=SESSION,
        ),
        "waits": author.entry(
            event_type=EventType.STEP_UP_REQUESTED,
            outcome=Outcome.PENDING,
            occurred_at=at(20),
            subject=ada,
            client=away,
            session_ref=SESSION,
            cognito=CognitoRef(operation="AdminGetUser", error="UserNotFoundException"),
        ),
        "other": author.entry(
            event_type=EventType.SIGN_IN_BLOCKED,
            outcome=Outcome.DENIED,
            occurred_at=at(30),
            subject=Subject(sub=BOB),
            client=away,
            actor=Actor(kind="service", id="shop"),
            data={"nul": "a\0b"},
        ),
    }


FILTERS = {
    'outcome eq "failure"': ["wrong"],
    'event_type sw "sign_in."': ["other", "wrong", "start"],
    'event_type ew ".sent"': ["sent"],
    'reason co "CODE" and authsignal.method eq null': ["wrong"],
    'reason ne "wrong_code" and client.ip pr': ["other", "waits", "session", "start"],
    f'subject.sub eq "{BOB}" or session_ref eq "{SESSION}"': ["other", "waits", "session"],
    f'subject.email_hash eq "{ADDRESS}" and not (attempt_id pr)': ["waits"],
    'client.ip eq "198.51.100.0/24"': ["other", "waits"],
    'client.ip ne "198.51.100.0/24" and client.ip pr': ["wrong", "start", "session"],
    'client.country eq "BR" and client.user_agent co "CURL"': ["other", "waits"],
    'client.user_agent ew "(100%_\\\\)"': ["other", "waits"],
    f'client.device_id eq "{DEVICE}" and outcome ne "success"': ["wrong"],
    'authsignal.action eq "signIn" and authsignal.state sw "CHALLENGE_"': ["sent"],
    'cognito.operation eq "AdminGetUser" and cognito.error ew "Exception"': ["waits"],
    'http.route co "{id}" and http.status lt 300': ["sent"],
    'actor.kind eq "service" and actor.id eq "shop"': ["other"],
    'occurred_at ge "2026-11-01T00:00:20Z" and occurred_at lt "2026-11-01T01:00:30+01:00"': ["waits"],
    "producer.seq le 1": ["sent", "start"],
    "data.try gt 1": ["wrong"],
    "data.try eq 1 or data.fast eq true": ["start"],
    'data.note eq "Late" and data.note co "LATE"': ["wrong"],
    "data.nested.deep pr or data.nul pr": [],
    "data.note gt 5": [],
}
