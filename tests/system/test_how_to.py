"""docs/how-to.md, done to the letter: its shell blocks, run by bash against the stack."""

import re
import subprocess
import sys
import time

from deploy.local.layout import REPOSITORY
from tests.stack import RunningStack

HOW_TO = REPOSITORY / "docs/how-to.md"
CLI = "from services.audit.cli import main; import sys; sys.exit(main())"
RUN_SECONDS_MAX = 300
# What an empty log would be shown as by a reader that is quicker than the queue.
DELIVERED_SECONDS_MAX = 60


def section(heading: str) -> str:
    """Return what stands under a heading of the page."""
    return HOW_TO.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def shell_blocks(*headings: str) -> str:
    """Return the shell commands under these headings of the page."""
    return "\n".join(map(_shell_blocks, headings))


def _shell_blocks(heading: str) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", section(heading), flags=re.DOTALL)
    assert blocks, f"no commands under {heading}"
    return "\n".join(blocks)


def run(script: str, stack: RunningStack, email: str, bob: str = "") -> str:
    """Run a script as it stands, but for its ports, its folder and the addresses of Ann and Bob, who may be one person."""
    replaced = {
        "http://localhost:8000": stack["gateway_url"],
        "http://localhost:8001": stack["challenge_url"],
        "http://localhost:8025": stack["mail"]["inbox_url"],
        "http://localhost:8100/control": stack["authsignal"]["control_url"],
        "ann@example.test": email,
        "bob@example.test": bob or email,
        " .local/": f" {stack.state_dir}/",
    }
    for said, meant in replaced.items():
        script = script.replace(said, meant)
    done = subprocess.run(
        ["bash", "-e", "-u", "-c", script], capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def audit_types(stack: RunningStack, email: str, count: int) -> list[str]:
    """Return the types of a person's events, in the order that the command line shows."""
    deadline = time.monotonic() + DELIVERED_SECONDS_MAX
    while True:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                CLI,
                *("audit", "query", "--email", email, "--limit", "1000", "--json"),
                *("--url", stack["audit_url"], "--token", stack["audit_token"]),
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        types = re.findall(r'"event_type": ?"([a-z_.]+)"', done.stdout)
        if len(types) >= count:
            return types
        assert time.monotonic() < deadline, f"only {types}"


def test_story_by_curl_is_in_the_log_in_order(stack: RunningStack) -> None:
    """
    The page's own commands sign somebody up, out and in; the log then tells that story in order.
    """
    email = "how-to-ann@example.test"
    story = shell_blocks("Sign up with curl") + shell_blocks("Sign out, and in again")
    printed = run(story, stack, email)
    assert printed.count("HTTP/1.1 200 OK") == 1
    assert "Audit-Receipt: " in printed or "audit-receipt: " in printed
    assert printed.count(f'"email":"{email}"') == 3
    types = audit_types(stack, email, 12)
    landmarks = ["sign_up.requested", "account.user.created", "session.created", "session.ended", "sign_in.started"]
    positions = [types.index(landmark) for landmark in landmarks]
    assert positions == sorted(positions), types
    assert "sign_in.succeeded" in types[positions[-1] :]


def test_an_apps_tokens_by_curl(stack: RunningStack) -> None:
    """
    The page's commands sign an app up, use its token, refresh it, lose the answer, and are caught replaying; then a browser
    deletes that account.
    """
    email = "how-to-cleo@example.test"
    helpers = shell_blocks("Sign up with curl").split("attempt=", 1)[0]
    printed = run(helpers + shell_blocks("Tokens for a native app"), stack, email)
    assert printed.count(f'"email":"{email}"') == 1
    answers = re.findall(r'"refresh_token":"([^"]+)"', printed)
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert printed.rstrip().endswith("}")
    assert '"code":"session_expired"' in printed
    sign_up = shell_blocks("Sign up with curl")
    assert "HTTP/1.1 204" in run(sign_up + shell_blocks("Delete an account"), stack, email)


def test_another_code_can_be_asked_for_by_curl(stack: RunningStack) -> None:
    """
    The page's commands ask for another code too soon (429), look at the attempt, and give it up.
    """
    email = "how-to-bob@example.test"
    printed = run(shell_blocks("Sign up with curl", "Another code, another try"), stack, email)
    assert '"code":"too_many_attempts"' in printed
    assert '"status":"challenge_required"' in printed


def test_the_page_can_be_pasted_from_top_to_bottom(stack: RunningStack) -> None:
    """
    All blocks of the page, one after the other in one shell: a step-up is approved and consumed, a review decided, Ann's
    account deleted, and nothing is refused but what the page says is.
    """
    headings = re.findall(r"^## (.+)$", HOW_TO.read_text(encoding="utf-8"), flags=re.MULTILINE)
    shells = [heading for heading in headings if "```sh" in section(heading)]
    assert shells[0] == "Sign up with curl"
    assert shells[-1] == "Read the log"
    printed = run(shell_blocks(*shells[:-1]), stack, "how-to-dora@example.test", "how-to-emil@example.test")
    assert re.findall(r'"code":"([a-z_]+)"', printed) == ["too_many_attempts", "session_expired"]
    assert '{"ok":true,"id":"' in printed
    assert printed.count('"grant":"') == 2
    assert "HTTP/1.1 204" in printed.split('"grant":"')[-1]  # The account is gone.
