"""``countersign``, as a person and as a script runs it."""

import asyncio
import contextlib
import json
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.parts import aws
from shared.events import AuthsignalRef, Client, EventType, Outcome, Subject, email_hash
from tests.integration.audit.commands import LOG_KEY, Person, run, start
from tests.integration.audit.lab import Author, Database, QueuePair, by_id, running_consumer, until
from tests.integration.audit.service import EMAIL_HASH_KEY, SERVICE_TOKEN, Service, running_service

ADA = "ada@example.test"
ADA_SUB = "3f2b0c9a-0000-4000-8000-00000000000a"


@pytest.fixture
def story(author: Author) -> list[bytes]:
    """A sign-in that first fails, then works, a while ago; each event of Ada."""
    began = datetime.now(UTC) - timedelta(minutes=30)
    steps = [
        (EventType.SIGN_IN_STARTED, Outcome.PENDING, None),
        (EventType.CHALLENGE_SENT, Outcome.SUCCESS, None),
        (EventType.CHALLENGE_REJECTED, Outcome.FAILURE, "wrong_code\x1b[2J"),
        (EventType.CHALLENGE_VERIFIED, Outcome.SUCCESS, None),
        (EventType.SIGN_IN_SUCCEEDED, Outcome.SUCCESS, None),
    ]
    return [
        author.entry(
            event_type=event_type,
            outcome=outcome,
            reason=reason,
            occurred_at=began + timedelta(seconds=number),
            subject=Subject(sub=ADA_SUB, email_hash=email_hash(ADA, EMAIL_HASH_KEY.encode())),
            client=Client(ip="192.0.2.7", user_agent="Firefox/140"),
            authsignal=AuthsignalRef(action="signIn", method="EMAIL_OTP"),
        )
        for number, (event_type, outcome, reason) in enumerate(steps)
    ]


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path, story: list[bytes]) -> AsyncIterator[Service]:
    """A service over a log that holds the story."""
    await database.append(story)
    async with running_service(tmp_path / "service", queue, database) as running:
        yield running


@pytest.fixture
def known(service: Service) -> dict[str, str]:
    """The environment of a person who has set up the command line."""
    return {"COUNTERSIGN_AUDIT_URL": service.url, "COUNTERSIGN_AUDIT_TOKEN": SERVICE_TOKEN}


async def test_table_tells_the_story_in_order(tmp_path: Path, known: dict[str, str]) -> None:
    """
    The table reads from old to new, names what a person needs, and holds nothing that a terminal would obey.
    """
    ran = await run("audit", "query", "--email", ADA, cwd=tmp_path, **known)

    assert (ran.code, ran.err) == (0, "")
    rows = [line for line in ran.out.splitlines() if "EMAIL_OTP" in line]
    names = ["sign_in.started", "challenge.sent", "challenge.rejected", "challenge.verified", "sign_in.succeeded"]
    assert [name for row in rows for name in names if name in row] == names
    assert "30m ago" in rows[0]
    assert "wrong_code" in rows[2]
    assert "192.0.2.7" in rows[0]
    assert "5 events" in ran.out
    assert "\x1b" not in ran.out


async def test_json_carries_what_a_receipt_needs(tmp_path: Path, known: dict[str, str], story: list[bytes]) -> None:
    """
    With --json each line is one event with its id and leaf hash, and the stored entry byte for byte.
    """
    ran = await run("audit", "query", "--email", ADA, "--json", cwd=tmp_path, **known)

    assert [line["event_id"] for line in ran.lines()] == [json.loads(entry)["event_id"] for entry in story]
    for line, text, entry in zip(ran.lines(), ran.out.splitlines(), story, strict=True):
        assert len(str(line["leaf_hash"])) == 64
        assert entry.decode() in text


async def test_what_writes_a_file_says_so_as_json(tmp_path: Path, known: dict[str, str], story: list[bytes]) -> None:
    """
    With --json the commands that write files, and the one that prints a checkpoint, print one JSON object as well.
    """
    event_id, given = json.loads(story[0])["event_id"], {**known, "COUNTERSIGN_LOG_KEY": LOG_KEY}
    commands = {
        "export": ("--format", "csv", "--out", "out.csv", "--email", ADA),
        "proof": (event_id, "-o", "proof"),
        "mirror": ("copy",),
        "checkpoint": (),
    }
    said: dict[str, Any] = {}
    for name, arguments in commands.items():
        ran = await run("audit", name, *arguments, "--json", cwd=tmp_path, **given)
        assert (ran.code, ran.err) == (0, "")
        (said[name],) = ran.lines()

    written = (tmp_path / "out.csv").stat().st_size
    assert said["export"] == {"file": "out.csv", "bytes": written, "lines": 6}  # The names of the columns are a line.
    assert said["proof"] == {"file": "proof"}
    assert said["mirror"]["folder"] == "copy"
    assert said["checkpoint"]["tree_size"] >= said["mirror"]["tree_size"] >= 5
    assert said["checkpoint"]["root"] in str(said["checkpoint"]["note"])


async def test_filters_and_orders(tmp_path: Path, known: dict[str, str]) -> None:
    """
    Filters go to the service, --limit takes the newest, and --order chooses the end to read from.
    """
    base = ("audit", "query", "--json", "--subject", ADA_SUB)
    failures = await run(*base, "--type", "challenge.", "--outcome", "failure", cwd=tmp_path, **known)
    newest = await run(*base, "--limit", "2", cwd=tmp_path, **known)
    descending = await run(*base, "--limit", "2", "--order", "desc", cwd=tmp_path, **known)
    recent = await run(*base, "--from", "5m", cwd=tmp_path, **known)
    older = await run(*base, "--from", "1h", "--to", "5m", cwd=tmp_path, **known)

    assert [line["event_type"] for line in failures.lines()] == ["challenge.rejected"]
    assert [line["event_type"] for line in newest.lines()] == ["challenge.verified", "sign_in.succeeded"]
    assert [line["event_type"] for line in descending.lines()] == ["sign_in.succeeded", "challenge.verified"]
    assert recent.lines() == []
    assert len(older.lines()) == 5


async def test_local_stack_is_found_from_a_folder_below(tmp_path: Path, service: Service) -> None:
    """
    Without options the running local stack is used, from any folder below it.
    """
    (tmp_path / ".local").mkdir()
    stack = {"audit_url": service.url, "audit_token": SERVICE_TOKEN, "aws": None, "gateway_url": "x"}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(stack))
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    ran = await run("audit", "query", "--json", "--subject", ADA_SUB, cwd=below)
    elsewhere = await run("audit", "query", "--url", "http://127.0.0.1:9", cwd=below)

    assert (ran.code, len(ran.lines())) == (0, 5)
    assert elsewhere.code == 2  # The stack's token is not sent to another service.
    assert "wants a token" in elsewhere.err


async def test_no_events(tmp_path: Path, known: dict[str, str]) -> None:
    """
    A search that finds nothing says so and is no failure; as JSON it prints nothing.
    """
    table = await run("audit", "query", "--subject", "nobody", cwd=tmp_path, **known)
    lines = await run("audit", "query", "--subject", "nobody", "--json", cwd=tmp_path, **known)

    assert (table.code, table.out) == (0, "No events fit. Widen the time range or drop a filter.\n")
    assert (lines.code, lines.out) == (0, "")


MISTAKES = [
    (("--token", "wrong"), 1, "does not accept this token"),
    (("--token", "first\nsecond"), 2, "the token has characters that are in no token"),
    (("--token", "“quoted”"), 2, "the token has characters that are in no token"),
    (("--url", "http://127.0.0.1:9"), 1, "does not answer"),
    (("--url", "ftp://example.test"), 2, "is no http or https URL"),
    (("--type", "sign_in"), 2, "type: Give an event type"),
    (("--from", "soon"), 2, "--from: soon is no time: write 15m"),
    (("--ip", "localhost"), 2, "ip: Give an IP address"),
    (("--limit", "none"), 2, "give a whole number from 1"),
    (("--emial", ADA), 2, "countersign audit query: error: unknown argument --emial: did you mean --email?"),
]


async def test_mistakes_are_one_clear_line(tmp_path: Path, known: dict[str, str]) -> None:
    """
    What is wrong is said in one line on standard error, and the exit code tells a mistake from a failure.
    """
    for arguments, code, words in MISTAKES:
        ran = await run("audit", "query", *arguments, cwd=tmp_path, **known)
        assert ran.code == code
        assert words in ran.err
        assert ran.out == ""
        assert "Traceback" not in ran.err
        assert ran.err.splitlines()[-1].startswith("countersign")


async def test_what_is_not_there_is_named(tmp_path: Path, service: Service, known: dict[str, str]) -> None:
    """
    An id that the log does not know, and a server that is not the audit service, are named in the refusal.
    """
    attempt = await run("audit", "attempt", "01a20468", cwd=tmp_path, **known)
    elsewhere = await run("audit", "query", "--url", f"{service.url}/nowhere", cwd=tmp_path, **known)

    words = f"the log at {service.url} knows no attempt 01a20468. Is it the whole id, as --json shows it?"
    assert (attempt.code, attempt.err) == (1, f"countersign: {words}\n")
    assert (elsewhere.code, elsewhere.err) == (1, f"countersign: {service.url}/nowhere/v1/events: There is nothing here.\n")


async def test_nothing_is_known(tmp_path: Path) -> None:
    """
    Without a service and without a token the command says how to name one.
    """
    nowhere = await run("audit", "query", cwd=tmp_path)
    tokenless = await run("audit", "query", "--url", "http://127.0.0.1:9", cwd=tmp_path)

    assert (nowhere.code, tokenless.code) == (2, 2)
    assert "--url" in nowhere.err
    assert "COUNTERSIGN_AUDIT_TOKEN" in tokenless.err


async def test_tail_shows_what_arrives(tmp_path: Path, known: dict[str, str], queue: QueuePair, author: Author) -> None:
    """
    A tail prints each new event at once, as JSON where asked for, and Ctrl-C ends it without complaint.
    """
    process = await start("audit", "tail", "--type", "session.", "--from", "1m", "--json", cwd=tmp_path, **known)
    assert process.stdout is not None
    try:
        for _ in range(2):
            entry = author.entry(event_type=EventType.SESSION_CREATED)
            await queue.send(entry)
            line = await asyncio.wait_for(process.stdout.readline(), 30)
            assert json.loads(line)["event"] == json.loads(entry)
    finally:
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, err) == (0, b"")


@asynccontextmanager
async def answering(said: bytes, *, asked: asyncio.Event | None = None) -> AsyncIterator[str]:
    """A server that says these bytes to everybody and hangs up, or with `asked` waits until they do; yields its URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            await writer.drain()
            if asked is not None:
                asked.set()
                await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


ANSWERED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
BROKEN = {"half an answer": ANSWERED % (1_000, b'{"events":['), "somebody else": ANSWERED % (13, b"<html></html>")}
ASKING = (
    ("query",),
    ("stats",),
    ("stats", "--json"),
    ("subject", ADA_SUB),
    ("subject", ADA_SUB, "--reads"),
    ("attempt", "1"),
    ("searches", "list"),
    ("searches", "remove", "mine"),
    ("holds",),
    ("hold", "place", ADA_SUB, "--reason", "case 4"),
    ("export", "--format", "csv", "--out", "-"),
    ("streams",),
    ("completeness",),
    ("alerts", "list"),
    ("alerts", "show", "1"),
    ("detections", "list"),
    ("detections", "replay"),
    ("reconcile", "report"),
    ("quarantine", "list"),
    ("verify", f"019aa9e6-0000-7000-8000-000000000001:{'0' * 64}", "--key", LOG_KEY),
)


@pytest.mark.parametrize("answer", BROKEN)
async def test_a_broken_answer_is_one_clear_line(
    answer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An answer that breaks off, or that is not the audit service's, is a failure of one line, whatever was asked.
    """
    person = Person(capsys, monkeypatch)
    async with answering(BROKEN[answer]) as url:
        for arguments in ASKING:
            said = await person.runs(*arguments, "--url", url, "--token", "t")
            assert (said.code, said.out, said.err.count("\n")) == (1, "", 1), (arguments, said)
            assert said.err.startswith("countersign: the answer"), arguments


async def test_foreign_text_is_shown_and_not_obeyed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What others wrote stands in a table as it is: neither markup nor what a terminal would obey.
    """
    stream = {
        "name": "[/oops]",
        "kind": "x",
        "target": "[red]a\x1b[2J",
        "format": "ndjson",
        "is_required": False,
        "next_leaf": 1,
    }
    stream |= {"lag_entries": 1, "delivered_at": None, "failing_since": "2026-11-01T00:00:00Z", "last_error": "said [/oops]"}
    body = json.dumps({"streams": [stream]}).encode()
    async with answering(ANSWERED % (len(body), body)) as url:
        said = await Person(capsys, monkeypatch).runs("streams", "--url", url, "--token", "t")

    assert (said.code, "\x1b" in said.out) == (0, False), said
    assert all(text in said.out for text in ("[/oops]", "[red]a", ": said [/oops]"))


@pytest.mark.parametrize("arguments", [("query",), ("verify", "--hashes-only", "--follow")], ids=lambda found: found[0])
async def test_an_interrupted_command_has_not_done_its_work(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """
    Ctrl-C before there is a result ends with exit code 130: a script must not take it for "all is well".
    """
    asked = asyncio.Event()
    async with answering(b"", asked=asked) as url:
        extra = {"COUNTERSIGN_AUDIT_URL": url, "COUNTERSIGN_AUDIT_TOKEN": "t", "COUNTERSIGN_LOG_KEY": LOG_KEY}
        process = await start("audit", *arguments, cwd=tmp_path, **extra)
        await asyncio.wait_for(asked.wait(), 30)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out, err) == (130, b"", b"")


async def test_a_followed_log_ends_well(tmp_path: Path, known: dict[str, str]) -> None:
    """
    Ctrl-C is how ``verify --follow`` ends once it has verified the log: exit code 0.
    """
    process = await start(
        "audit", "verify", "--hashes-only", "--follow", "--json", cwd=tmp_path, **known, COUNTERSIGN_LOG_KEY=LOG_KEY
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 30)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert json.loads(line)["ok"]
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_help_has_examples(tmp_path: Path) -> None:
    """
    Help shows commands that can be copied: the overview a choice of all, a command its own.
    """
    shown = [("--help",), ("audit", "--help"), ("audit", "query", "--help")]
    for arguments in shown:
        ran = await run(*arguments, cwd=tmp_path)
        assert (ran.code, "countersign audit query --email" in ran.out) == (0, True)
    ran = await run("audit", "tail", "--help", cwd=tmp_path)
    assert ("countersign audit tail --type" in ran.out, "countersign audit query" in ran.out) == (True, False)


def dlq_options(queue: QueuePair) -> tuple[list[str], dict[str, str]]:
    """Return options and environment that reach the queues of a test."""
    options = ["--dlq-url", queue.dlq_url, "--queue-url", queue.url, "--endpoint-url", queue.aws.endpoint_url]
    return options, {**queue.aws.credentials, "AWS_REGION": aws.REGION}


async def test_dead_letters_are_shown_and_put_back(
    tmp_path: Path, queue: QueuePair, database: Database, author: Author
) -> None:
    """
    Messages in the dead-letter queue can be looked at without taking them, and go back to be stored like any other.
    """
    entries = author.entries(23)
    for entry in entries:
        await queue.client.send_message(QueueUrl=queue.dlq_url, MessageBody=entry.decode())
    options, credentials = dlq_options(queue)

    listed = await run("audit", "dlq", "list", "--json", *options, cwd=tmp_path, **credentials)
    shown = await run("audit", "dlq", "list", "--bodies", *options, cwd=tmp_path, **credentials)
    part = await run("audit", "dlq", "redrive", "--limit", "5", "--json", *options, cwd=tmp_path, **credentials)
    rest = await run("audit", "dlq", "redrive", *options, cwd=tmp_path, **credentials)
    empty = await run("audit", "dlq", "list", *options, cwd=tmp_path, **credentials)

    assert [(line["entries"], line["flawed"]) for line in listed.lines()] == [(1, 0)] * 23
    assert "23 messages" in shown.out
    assert all(event_id in shown.out for event_id in by_id(entries))
    assert part.lines() == [{"moved": 5, "refused": 0, "left": 18}]
    assert rest.out == "Moved 18 back to the audit queue, 0 left in the dead-letter queue.\n"
    assert empty.out == "The dead-letter queue is empty.\n"
    assert await queue.counts(queue.dlq_url) == (0, 0)
    async with running_consumer(queue, database):
        assert len(await database.wait_for_entries(23)) == 23
        await until(queue.is_empty, "empty queue")


async def test_dead_letters_of_no_queue(tmp_path: Path) -> None:
    """
    Without a queue, with a queue that does not exist and with one that is silent, the command says so before long.
    """
    unknown = await run("audit", "dlq", "list", cwd=tmp_path)
    nowhere = await run(
        *("audit", "dlq", "list", "--dlq-url", "http://127.0.0.1:9/0/q", "--endpoint-url", "http://127.0.0.1:9"),
        cwd=tmp_path,
        AWS_REGION=aws.REGION,
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",
    )
    began, silent = time.monotonic(), socket.create_server(("127.0.0.1", 0))
    with silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        hanging = await run(
            *("audit", "dlq", "list", "--dlq-url", f"{url}/0/q", "--endpoint-url", url),
            cwd=tmp_path,
            AWS_REGION=aws.REGION,
            AWS_ACCESS_KEY_ID="x",
            AWS_SECRET_ACCESS_KEY="x",
        )
    assert (unknown.code, nowhere.code, hanging.code) == (2, 1, 1)
    assert "SQS does not answer: Read timeout" in hanging.err
    assert time.monotonic() - began < 45
    assert "--dlq-url" in unknown.err
    assert "does not answer" in nowhere.err
    assert "Traceback" not in unknown.err + nowhere.err
