import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { EVENT_ID, LEAF_HASH, PROOF } from "../proof/vectors";
import { open } from "../test/render";
import { ok, problem, service } from "../test/service";

const EVENT_PATH = `GET /v1/events/${EVENT_ID}`;

it("says of bytes that cannot be read and were not erased that they are damaged, and proves nothing", async () => {
  const damaged = { event: null, erased: false, event_id: EVENT_ID, leaf_hash: LEAF_HASH, leaf_index: 5 };
  service({
    [EVENT_PATH]: ok({ ...damaged, recorded_at: "2026-01-02T03:04:05Z" }),
    [`${EVENT_PATH}/proof`]: ok(PROOF),
  });
  open(`/events/${EVENT_ID}`);
  expect(await screen.findByRole("heading", { level: 1, name: "Damaged event" })).toBeInTheDocument();
  expect(screen.getByText("These bytes cannot be read").closest("[role=alert]")).toHaveTextContent(
    "countersign audit verify",
  );
  expect(await screen.findByText("Not proven")).toBeInTheDocument();
  expect(screen.queryByText(/at somebody's request/)).not.toBeInTheDocument();
});

it("says of an event whose month was dropped where its bytes are", async () => {
  service({ [EVENT_PATH]: problem(410, "dropped_by_retention") });
  open(`/events/${EVENT_ID}`);
  expect(await screen.findByText(/its bytes are in the archive/)).toBeInTheDocument();
});

it.each([
  [`/events/${EVENT_ID}`, "event"],
  ["/sessions/s", "session"],
  ["/attempts/a", "attempt"],
  ["/subjects/s", "subject"],
  ["/alerts/a", "alert"],
  ["/quarantine/9", "line"],
])("says at %s that there is no such %s", async (path, thing) => {
  service({});
  open(path);
  expect(await screen.findAllByText(`There is no such ${thing}`)).not.toHaveLength(0);
});

it.each([
  [`/events/${EVENT_ID}`, EVENT_PATH],
  ["/alerts", "GET /v1/alerts"],
])("says at %s, where the service does not take the method, that it did not work", async (path, asked) => {
  service({ [asked]: problem(405, "invalid_request") });
  open(path);
  expect(await screen.findByText("That did not work")).toBeInTheDocument();
  expect(screen.queryByText(/does not offer (the )?alerts|There is no such/)).not.toBeInTheDocument();
});

it.each([
  [problem(404, "nothing_found", { title: "Nothing to erase" }), "Nothing to erase"],
  [problem(503, "audit_unavailable", { title: "Done, and not recorded yet" }), "Done, and not recorded yet"],
])("says of an erasure what the service says of it (%#)", async (answer, title) => {
  service({
    "GET /v1/erasures": ok({ erasures: [], next_cursor: null }),
    "GET /v1/holds": ok({ holds: [], next_cursor: null }),
    "POST /v1/erasures": answer,
  });
  const { user } = open("/erasures?subject=s-9");
  await user.type(await screen.findByRole("textbox", { name: "Reason" }), "Asked for it");
  await user.type(screen.getByRole("textbox", { name: "To erase, type: erase" }), "erase");
  await user.click(screen.getByRole("button", { name: "Erase for good" }));
  expect(await screen.findByText(title)).toBeInTheDocument();
});
