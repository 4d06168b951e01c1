"""The pure rules: deliveries, cursors, migrations, times, settings."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.api.access import ServiceTokens, TokenScope
from services.audit.commands.times import ago, parse_time, to_api
from services.audit.consumer.delivery import (
    HELD_SECONDS_MAX,
    PAUSE_SECONDS_MAX,
    Delivery,
    Outcome,
    next_pause,
    plan_delivery,
    should_retry_delete,
)
from services.audit.settings import AuditSettings
from services.audit.storage.cursor import INDEX_MAX, CursorInvalid, LogCursor, SearchCursor, log_cursor, search_cursor
from services.audit.storage.migrate import Migration, MigrationFailed, plan_migrations
from shared.settings import SettingsError, load

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECONDS = st.floats(min_value=0, max_value=HELD_SECONDS_MAX * 2)


@given(SECONDS, st.none() | st.floats(min_value=-100, max_value=100))
def test_only_what_is_committed_is_deleted(held_seconds: float, drain_seconds_left: float | None) -> None:
    """
    A committed message is always deleted and an uncommitted one never.
    """
    for outcome in Outcome:
        plan = plan_delivery(outcome, held_seconds=held_seconds, drain_seconds_left=drain_seconds_left)
        assert (plan is Delivery.DELETE) == (outcome is Outcome.COMMITTED)


@pytest.mark.parametrize(
    ("held_seconds", "drain_seconds_left", "plan"),
    [
        (0, None, Delivery.HOLD),
        (HELD_SECONDS_MAX - 1, None, Delivery.HOLD),
        (HELD_SECONDS_MAX, None, Delivery.RELEASE),
        (10, 0.1, Delivery.HOLD),
        (10, 0, Delivery.RELEASE),
        (10, -5, Delivery.RELEASE),
    ],
)
def test_what_cannot_be_stored_is_held(held_seconds: float, drain_seconds_left: float | None, plan: Delivery) -> None:
    """
    A message is held through an outage, and given back when the time to stop is over or SQS's own limit is near.
    """
    assert plan_delivery(Outcome.UNAVAILABLE, held_seconds=held_seconds, drain_seconds_left=drain_seconds_left) is plan


def test_pauses_grow_to_a_bound() -> None:
    """
    Each wait is twice the one before, up to a bound.
    """
    pause = 0.1
    for _ in range(20):
        assert pause < next_pause(pause) or pause == PAUSE_SECONDS_MAX
        pause = next_pause(pause)
    assert pause == PAUSE_SECONDS_MAX


def test_deletions_are_tried_again_only_where_it_can_help() -> None:
    """
    A refusal that is our own fault, or the fifth one, ends the tries.
    """
    assert should_retry_delete(is_sender_fault=False, tries=4)
    assert not should_retry_delete(is_sender_fault=False, tries=5)
    assert not should_retry_delete(is_sender_fault=True, tries=1)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_search_cursor_round_trip(occurred_at: datetime, event_id: UUID) -> None:
    """
    A search cursor comes back to the microsecond, and is not taken for a follower's.
    """
    cursor = SearchCursor(occurred_at, event_id)
    assert search_cursor(cursor.encode()) == cursor
    with pytest.raises(CursorInvalid):
        log_cursor(cursor.encode())


@given(st.integers(min_value=0, max_value=INDEX_MAX))
def test_log_cursor_round_trip(next_index: int) -> None:
    """
    A follower's cursor comes back whole, and is not taken for a search's.
    """
    cursor = LogCursor(next_index)
    assert log_cursor(cursor.encode()) == cursor
    with pytest.raises(CursorInvalid):
        search_cursor(cursor.encode())


@given(st.text(max_size=200))
def test_made_up_cursors_are_refused(word: str) -> None:
    """
    Any other word is refused, never an exception of another kind.
    """
    for read in (search_cursor, log_cursor):
        try:
            read(word)
        except CursorInvalid:
            continue


def test_migrations_are_planned_in_order() -> None:
    """
    What is recorded with the same text is left out; the rest is applied in order.
    """
    first, second = Migration(1, "one", "a"), Migration(2, "two", "b")
    assert plan_migrations([first, second], {}) == [first, second]
    assert plan_migrations([first, second], {1: first.sha256}) == [second]
    assert plan_migrations([first], {1: first.sha256, 2: second.sha256}) == []


def test_migrations_that_do_not_fit_are_refused() -> None:
    """
    A changed migration, and one that was slipped in before an applied one, stop everything.
    """
    first, second = Migration(1, "one", "a"), Migration(2, "two", "b")
    with pytest.raises(MigrationFailed, match="was changed"):
        plan_migrations([first], {1: hashlib.sha256(b"other").hexdigest()})
    with pytest.raises(MigrationFailed, match="renumber"):
        plan_migrations([first, second], {2: second.sha256})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("1h", NOW - timedelta(hours=1)),
        ("2d", NOW - timedelta(days=2)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-11-01T00:00:00Z", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T02:00:00+02:00", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_times_as_people_write_them(text: str, moment: datetime) -> None:
    """
    Relative and absolute times are read as what they say.
    """
    assert parse_time(text, NOW) == moment
    assert to_api(parse_time(text, NOW)).endswith("Z")


@pytest.mark.parametrize("text", ["", "soon", "1y", "-1h", "999999w", "2026-13-01"])
def test_what_is_no_time(text: str) -> None:
    """
    Anything else is refused with an example of what would work.
    """
    with pytest.raises(ValueError, match="is no time: write"):
        parse_time(text, NOW)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "now"), (5, "5s ago"), (65, "1m ago"), (7200, "2h ago"), (200_000, "2d ago"), (-1, "now"), (-60, "ahead")],
)
def test_how_long_ago(seconds: float, words: str) -> None:
    """
    Ages are told in the largest unit that fits, and a clock that is ahead is not hidden.
    """
    assert ago(NOW - timedelta(seconds=seconds), NOW) == words


def test_service_tokens(tmp_path: Path) -> None:
    """
    A token is known by its digest alone, reads unless its line says more, and one name may have two during a rotation.
    """
    digests = [hashlib.sha256(token).hexdigest() for token in (b"old", b"new", b"said")]
    file = tmp_path / "tokens"
    file.write_text(f"# rotation\n\nexport:{digests[0]}\nexport:{digests[1]}:manage\ndashboard:{digests[2]}:read\n")

    tokens = ServiceTokens.read(str(file))

    found = [tokens.find(token) for token in ("old", "new", "said")]
    assert [(one.owner, one.scope) for one in found if one is not None] == [
        ("export", TokenScope.READ),
        ("export", TokenScope.MANAGE),
        ("dashboard", TokenScope.READ),
    ]
    assert (tokens.find("other"), tokens.find(digests[0])) == (None, None)


BROKEN_LINES = (
    *("export", "export:abc", "ex port:" + "a" * 64, "export:" + "A" * 64),
    *("export:" + "a" * 64 + more for more in (":", ":all", ":read,manage", ":MANAGE")),
)


@pytest.mark.parametrize("line", BROKEN_LINES)
def test_broken_token_file_names_the_line_and_not_the_text(tmp_path: Path, line: str) -> None:
    """
    A token file that is wrong stops the start, and its words stay out of the message.
    """
    file = tmp_path / "tokens"
    file.write_text(f"# first\n{line}\n")
    with pytest.raises(SettingsError, match="line 2") as caught:
        ServiceTokens.read(str(file))
    assert line not in str(caught.value)


def test_settings_refuse_a_drain_shorter_than_a_poll(tmp_path: Path) -> None:
    """
    A drain that would cut off long polls is refused before the port opens.
    """
    names = [name for name in AuditSettings.__struct_fields__ if name.endswith(("_file", "_url"))]
    lines = [f'{name} = "x"' for name in names if name not in ("otlp_url", "aws_endpoint_url") and "alert" not in name]
    lines += ['host = "x"', "port = 1", 'cognito_issuer = "x"', "client_ids = []", 'aws_region = "x"', 'log_origin = "x"']
    file = tmp_path / "audit.toml"
    file.write_text("\n".join(lines))
    assert load(AuditSettings, file).receivers == 4

    file.write_text("\n".join([*lines, "drain_seconds = 5", "receive_wait_seconds = 20"]))
    with pytest.raises(SettingsError, match="drain_seconds"):
        load(AuditSettings, file)


def test_settings_refuse_half_of_what_sealing_needs(tmp_path: Path) -> None:
    """
    A process that has the log's key and not its database role, or the other way round, is refused before the port opens.
    """
    names = [name for name in AuditSettings.__struct_fields__ if name.endswith(("_file", "_url"))]
    names = [name for name in names if "alert" not in name]
    lines = [f'{name} = "x"' for name in names if name not in ("otlp_url", "aws_endpoint_url", "log_key_file")]
    lines += ['host = "x"', "port = 1", 'cognito_issuer = "x"', "client_ids = []", 'aws_region = "x"', 'log_origin = "x"']
    file = tmp_path / "audit.toml"
    file.write_text("\n".join(lines))
    with pytest.raises(SettingsError, match="belong together"):
        load(AuditSettings, file)
