"""What the security team does about others: an attack, a broken line, a copy for the SIEM, an erasure."""

import asyncio
import contextlib
import json
import re
import time

import aiohttp
import pytest
from playwright.async_api import Locator, expect
from playwright.async_api import TimeoutError as NotInTime

from tests.integration.gateway.person import Person as Client
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack
from tests.system.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

# As many as the rule counts as stuffing, and of a network of their own: 127.0.0.0/8 is all this machine.
VICTIMS, ATTACKER = 10, "127.203.113.9"
BROKEN = '{"event_type":"sign_in.succeeded","outcome":"success", cut off'
OCSF_AUTHENTICATION = 3002
SIX_MINUTES = 360
LOOKS_MAX = 9
FIRST_LOOK_MS = 250


def row(auditor: Person, table: str, text: str | re.Pattern[str]) -> Locator:
    """The rows of a table that hold a text."""
    return auditor.page.get_by_role("table", name=table).get_by_role("row").filter(has_text=text)


async def looks_until(auditor: Person, view: str, wanted: Locator) -> None:
    """Open a view again and again, until it shows what is on its way: quicker than to wait until it asks by itself."""
    for look in range(LOOKS_MAX):
        await auditor.open(f"/audit/{view}")
        # Each look twice as long as the one before: a machine that needs a second to draw a view shows it all the same.
        with contextlib.suppress(NotInTime):
            return await wanted.first.wait_for(timeout=FIRST_LOOK_MS * 2**look)
    raise AssertionError(f"{view} never showed it")


async def guess(victim: Client) -> str:
    """Try a code that nobody was sent; return the code of the refusal."""
    return (await victim.verify((await victim.begin("sign-ins"))["id"], "000000")).code


async def proves_again(auditor: Person, vault: Vault, button: str, heading: str) -> None:
    """Press a button six minutes after the last proof: a confirmation comes first, and leads back."""
    await vault.change_session(await auditor.session(), proven_at=time.time() - SIX_MINUTES)
    await auditor.presses(button)
    await auditor.follows("Confirm")
    await auditor.sees("Confirm that it is you")
    await auditor.presses("Confirm")
    await auditor.types_code(await auditor.code())
    await auditor.sees(heading)


async def test_stuffing_run_raises_an_alert(auditor: Person, stack: RunningStack) -> None:
    """
    Ten addresses tried with a wrong code from one network are an alert, which leads to its events and is closed with a note.
    """
    page = auditor.page
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(ATTACKER, 0))) as http:
        victims = [Client(http, stack["gateway_url"], stack["mail"]["inbox_url"]) for _ in range(VICTIMS)]
        assert await asyncio.gather(*map(guess, victims)) == ["invalid_code"] * VICTIMS

    alert = row(auditor, "Alerts", ATTACKER)
    await looks_until(auditor, "alerts", alert)
    await alert.first.get_by_role("link").click()
    await auditor.sees("10 people failed to sign in from one network")
    await auditor.reads("127.203.113.0/24")
    events = page.get_by_role("list", name="Events of the alert").get_by_role("link")
    await expect(events).to_have_count(VICTIMS)
    await expect(events.first).to_contain_text("sign_in.failed")
    await auditor.check_page()

    await auditor.fills("What you found", "A drill of ours.")
    await auditor.presses("Close the alert")
    await auditor.reads("A drill of ours.")
    await auditor.open("/audit/alerts?state=closed")
    await expect(row(auditor, "Alerts", ATTACKER).first).to_be_visible()


async def test_broken_line_is_shown_and_nothing_is_missing(auditor: Person, stack: RunningStack) -> None:
    """
    A line that is no event is in quarantine, with its text and the reason; the picture of completeness has no hole.
    """
    page = auditor.page
    stack.aws("sqs").send_message(QueueUrl=stack["aws"]["audit_queue_url"], MessageBody=BROKEN)

    lines = row(auditor, "Lines in quarantine", "not_json")
    await looks_until(auditor, "quarantine", lines)
    await lines.first.get_by_role("link").click()
    await auditor.sees("Line in quarantine")
    await expect(page.get_by_label("The line as it came")).to_have_text(BROKEN)
    await auditor.fills("The entry as it should have been", "still no event")
    await auditor.presses("Put it into the log")
    await auditor.reads(re.compile("This would go to quarantine again"))

    await auditor.open("/audit/completeness")
    await auditor.reads("Nothing is missing")
    for service in ("gateway", "challenge", "audit"):
        await expect(page.get_by_role("heading", name=re.compile(f"^{service} "))).not_to_have_count(0)


async def test_ocsf_export_asks_for_a_fresh_proof(auditor: Person, person: Person, vault: Vault) -> None:
    """
    Five minutes after the last proof an export leads over a confirmation, back to the form as it was; the file is OCSF.
    """
    page, sub = auditor.page, await person.sub()
    await looks_until(auditor, f"subjects/{sub}", page.get_by_role("list", name="Timeline").get_by_text("session.created"))
    await auditor.open(f"/audit/exports?subject={sub}&format=ocsf")
    await auditor.sees("Exports")
    await proves_again(auditor, vault, "Export", "Exports")
    await expect(page.get_by_role("radio", name=re.compile("^OCSF"))).to_be_checked()
    await expect(page.get_by_role("button", name=f"Remove Subject {sub}")).to_be_visible()
    async with page.expect_download() as download:
        await auditor.presses("Export")

    file = await download.value
    assert re.fullmatch(r"countersign-\d{8}T\d{6}Z\.ocsf\.ndjson", file.suggested_filename), file.suggested_filename
    events = [json.loads(line) for line in (await file.path()).read_text(encoding="utf-8").splitlines()]
    assert {event["metadata"]["version"] for event in events} == {"1.8.0"}
    assert all(event["type_uid"] == event["class_uid"] * 100 + event["activity_id"] for event in events)
    assert OCSF_AUTHENTICATION in {event["class_uid"] for event in events}
    await expect(row(auditor, "Your exports", sub).get_by_role("link", name="Fetch")).to_be_visible()


async def test_held_person_stays_and_is_erased_after_the_release(auditor: Person, person: Person, vault: Vault) -> None:
    """
    A person on hold is not erased. Released and erased, each after a fresh proof, their events say nothing, and stay proven.
    """
    page, sub = auditor.page, await person.sub()
    await looks_until(auditor, f"subjects/{sub}", page.get_by_role("list", name="Timeline").get_by_role("link"))
    await auditor.follows("Erase or hold")
    await auditor.sees("Erasure and holds")
    await auditor.fills("Reason", "Case 4")
    await proves_again(auditor, vault, "Place a hold", "Erasure and holds")
    await expect(page.get_by_label("Subject", exact=True)).to_have_value(sub)
    await auditor.presses("Place a hold")
    await auditor.reads("The hold stands")

    await erases(auditor, "Request 17")
    await auditor.reads("A legal hold stands in the way")
    await row(auditor, "Holds", sub[:13]).get_by_role("button", name="Release").click()
    await expect(row(auditor, "Holds", sub[:13]).get_by_text("released")).to_be_visible()
    await erases(auditor, "Request 17")
    await auditor.reads(re.compile("entries can no longer be read through the service"))
    await auditor.check_page()


async def erases(auditor: Person, reason: str) -> None:
    """Fill in and send off an erasure."""
    await auditor.fills("Reason", reason)
    await auditor.fills("To erase, type: erase", "erase")
    await auditor.presses("Erase for good")
