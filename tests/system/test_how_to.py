"""docs/how-to.md, done to the letter: its shell blocks, run by bash against the stack."""

import re
import subprocess
import sys

from deploy.local.layout import REPOSITORY
from tests.stack import RunningStack

HOW_TO = REPOSITORY / "docs/how-to.md"
CLI = "from services.audit.cli import main; import sys; sys.exit(main())"
# What an empty log would be shown as by a reader that is quicker than the queue.
DELIVERED_SECONDS_MAX = 10


def shell_blocks(heading: str) -> str:
    """Return the shell commands under a heading of the page."""
    section = HOW_TO.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    assert blocks, f"no commands under {heading}"
    return "\n".join(blocks)


def run(script: str, stack: RunningStack, email: str) -> str:
    """Run a script as it stands, its address and ports replaced by the stack's."""
    script = script.replace("http://localhost:8000", stack["gateway_url"])
    script = script.replace("http://localhost:8025", stack["mail"]["inbox_url"])
    script = script.replace("ann@example.test", email)
    done = subprocess.run(["bash", "-e", "-u", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def audit_types(stack: RunningStack, email: str, count: int) -> list[str]:
    """Return the types of a person's events, in the order that the command line shows."""
    for _ in range(DELIVERED_SECONDS_MAX * 2):
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
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        types = re.findall(r'"event_type": ?"([a-z_.]+)"', done.stdout)
        if len(types) >= count:
            return types
    raise AssertionError(f"only {types}")


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
    begin = shell_blocks("Sign up with curl").split("code=", 1)[0]
    printed = run(begin + shell_blocks("Another code, another try"), stack, email)
    assert '"code":"too_many_attempts"' in printed
    assert '"status":"challenge_required"' in printed
