"""The security team's day: what an auditor sees, and what everybody else does not."""

import re
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.stack import RunningStack
from tests.system.console.conftest import Auditors
from tests.system.fixtures import Profile
from tests.system.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

VIEWS = {
    "": "Overview",
    "search": "Search",
    "searches": "Saved searches",
    "alerts": "Alerts",
    "completeness": "Completeness",
    "detections": "Detections",
    "quarantine": "Quarantine",
    "key": "Log key",
    "exports": "Exports",
    "erasures": "Erasure and holds",
}
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 860}


async def opens_newest(auditor: Person, event_type: str) -> None:
    """Find the newest event of a type from the keyboard, and open it."""
    keyboard = auditor.page.keyboard
    await keyboard.press("/")
    await keyboard.type(f"type:{event_type}")
    await keyboard.press("Enter")
    await expect(auditor.page.get_by_role("button", name=f"Remove Type {event_type}")).to_be_visible()
    found = auditor.page.get_by_role("list", name="Events")
    await expect(auditor.page.locator("[aria-busy]", has=found)).to_have_attribute("aria-busy", "false")
    rows = found.get_by_role("link")
    await expect(rows.first).to_contain_text(event_type)
    await auditor.page.get_by_label("Find events").blur()
    await keyboard.press("j")
    await expect(rows.first).to_be_focused()
    await keyboard.press("Enter")
    await auditor.sees(event_type)


async def test_sign_in_arrives_live_and_is_proven(auditor: Person, people: Profile, stack: RunningStack) -> None:
    """
    A sign-in appears in the live tail by itself, is found and opened by keyboard, and proven there.
    """
    page = auditor.page
    await page.keyboard.press("g")
    await page.keyboard.press("s")
    await auditor.sees("Search")
    await page.keyboard.press("t")
    await expect(page.get_by_role("button", name="Live", exact=True)).to_be_visible()

    newcomer = await people()
    await newcomer.signs_up()
    await newcomer.signs_out()
    await newcomer.signs_in()

    rows = page.get_by_role("list", name="Events").get_by_role("link")
    await expect(rows.filter(has_text="sign_in.succeeded")).not_to_have_count(0)
    await opens_newest(auditor, "sign_in.succeeded")
    await expect(page.get_by_text("Proven", exact=True)).to_be_visible()
    steps = page.get_by_role("list", name="Steps of the check").get_by_role("listitem")
    await expect(steps).to_have_count(4)
    await expect(page.get_by_label("Bytes of the entry")).to_contain_text('"event_type":"sign_in.succeeded"')
    await auditor.check_page()

    await auditor.open("/audit/key")
    await auditor.sees("Log key")
    await expect(page.get_by_text(stack["log_public_key"]).first).to_be_visible()
    await auditor.reads("Signed with the key that you trust")


async def test_changed_entry_and_changed_proof_turn_red(auditor: Person) -> None:
    """
    Where somebody on the way changes one byte of an entry, or of its proof, the console says that it is not proven, and why.
    """
    page = auditor.page

    async def bend_entry(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=(await answer.text()).replace('"schema_version":1', '"schema_version":2'))

    async def bend_proof(route: Route) -> None:
        answer = await route.fetch()
        # The first character of the first hash.
        body = re.sub(r"(index \d+\n)(.)", lambda found: found[1] + ("A" if found[2] != "A" else "B"), await answer.text())
        await route.fulfill(response=answer, body=body)

    await opens_newest(auditor, "session.created")
    await expect(page.get_by_text("Proven", exact=True)).to_be_visible()
    for pattern, bend, words in (
        (re.compile(r"/v1/events/[0-9a-f-]{36}$"), bend_entry, "the entry was changed"),
        (re.compile(r"/v1/events/[0-9a-f-]{36}/proof$"), bend_proof, "does not lead to the signed root"),
    ):
        await page.route(pattern, bend)
        await page.reload()
        await expect(page.get_by_role("alert")).to_contain_text(words)
        await auditor.check_page()
        await page.unroute(pattern)


@pytest.mark.parametrize(("scheme", "viewport"), [("light", PHONE), ("dark", DESK)], ids=["light-390", "dark-1280"])
async def test_every_view_is_accessible(
    auditors: Auditors, signed_in: dict[str, Any], scheme: str, viewport: dict[str, int]
) -> None:
    """
    No view has a serious finding of axe or a complaint of the browser's, or is wider than its window: on a phone, at a desk.
    """
    reader = await auditors(color_scheme=scheme, viewport=viewport, storage_state=signed_in)
    for path, heading in VIEWS.items():
        await reader.open(f"/audit/{path}")
        await reader.sees(heading)
        await expect(reader.page.get_by_role("status", name=re.compile("Loading"))).to_have_count(0)
        await reader.check_page()
        assert await reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"


async def test_deep_link_survives_the_way_in(auditors: Auditors) -> None:
    """
    A link to a search leads over the sign-in to that very search; every view but the API wants a session.
    """
    auditor = await auditors()
    await auditor.open("/audit/search?type=session.&last=1h")
    await auditor.sees("Sign in")
    await auditor.fills("E-mail address", auditor.email)
    await auditor.presses("Continue")
    await auditor.types_code(await auditor.code())
    await auditor.sees("Search")
    await auditor.page.wait_for_url("**/audit/search?type=session.&last=1h")
    await expect(auditor.page.get_by_role("button", name="Remove Type session.")).to_be_visible()


async def test_person_who_is_no_auditor_is_told(person: Person) -> None:
    """
    A signed-in person outside of the group sees a page that says so, and nothing of the log.
    """
    await person.open("/audit/search")
    await person.sees("The audit log is for auditors")
    await person.reads(person.email)
    await person.check_page()
    await expect(person.page.get_by_role("list", name="Events")).to_have_count(0)
