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
