import { act, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { open } from "../test/render";
import { ok, problem, service, type Reply } from "../test/service";

const RULES = { rules: [], runs: [] };
const TIME = "2026-01-02T03:04:05Z";
const ALERT = {
  ...{ id: "a", rule: "r", rule_version: 1, severity: "high", title: "Many failures", subject: null, ips: [] },
  ...{ first_leaf: 0, last_leaf: 1, first_seen: TIME, last_seen: TIME, event_ids: [], event_count: 2, state: "open" },
};
const alerts = (...found: object[]) => ok({ alerts: found, next_cursor: null });

afterEach(() => {
  vi.useRealTimers();
});

it("says since when it shows old numbers, and polls in a way that is no use of the session", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"], shouldAdvanceTime: true });
  let answer = ok(RULES);
  const seen = service({ "GET /v1/detections": () => answer });
  const { user } = open("/detections");
  expect(await screen.findByText(/^None recorded yet/)).toBeInTheDocument();
  answer = problem(503, "audit_unavailable");
  await act(() => vi.advanceTimersByTimeAsync(16_000));
  const stale = (await screen.findByText(/Not refreshed since \d\d:\d\d/)).closest("p");
  answer = ok(RULES);
  if (stale) await user.click(within(stale).getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(screen.queryByText(/Not refreshed since/)).not.toBeInTheDocument());
  const asked = seen.filter(({ path }) => path === "/v1/detections");
  const polls = asked.map(({ headers }) => headers.get("X-Countersign-Poll"));
  expect([polls[0], polls[1], polls.at(-1)]).toEqual([null, "1", null]);
});

it("dims what answers another question, and never says that there is nothing before it knows", async () => {
  let closed: (reply: Reply) => void = () => undefined;
  service({
    "GET /v1/alerts": ({ query }) =>
      query.get("state") === "closed" ? new Promise<Reply>((resolve) => (closed = resolve)) : alerts(ALERT),
  });
  const { user } = open("/alerts");
  await screen.findByRole("link", { name: "Many failures" });
  await user.click(screen.getByText("Closed"));
  const list = await screen.findByRole("table", { name: "Alerts" });
  expect(list.closest("[aria-busy=true]")).toBeInTheDocument();
  closed(alerts());
  expect(await screen.findByText("None was closed yet.")).toBeInTheDocument();
  expect(screen.queryByRole("table", { name: "Alerts" })).not.toBeInTheDocument();
});

it("says beside the button why the next page did not come, and keeps the rows", async () => {
  const line = { id: 1, received_at: TIME, reason: "not_json", detail: "line 1", instance: null, seq: null };
  service({
    "GET /v1/quarantine": ({ query }) =>
      query.has("cursor")
        ? problem(503, "audit_unavailable")
        : ok({ lines: [{ ...line, repaired_as: null }], next_cursor: "next" }),
  });
  const { user } = open("/quarantine");
  await user.click(await screen.findByRole("button", { name: "Show more" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Nothing is shown right now");
  expect(screen.getByText("line 1")).toBeInTheDocument();
  expect(screen.queryByText(/Not refreshed/)).not.toBeInTheDocument();
});

it.each([new TypeError("no network"), { status: 504, text: "<html>" }])(
  "says of a write without an answer that it may have been done (%#)",
  async (answer) => {
    service({ "POST /v1/erasures": answer });
    const { user } = open("/erasures?subject=s-9");
    await user.type(await screen.findByRole("textbox", { name: "Reason" }), "Asked for it");
    await user.type(screen.getByRole("textbox", { name: "To erase, type: erase" }), "erase");
    await user.click(screen.getByRole("button", { name: "Erase for good" }));
    expect(await screen.findByText("It may have been done: look before you try again.")).toBeInTheDocument();
  },
);

it("refuses a replay that is longer than the service takes", async () => {
  service({ "GET /v1/detections": ok({ rules: [], runs: [] }) });
  const { user } = open("/detections");
  await user.type(await screen.findByRole("textbox", { name: "Up to leaf, not included" }), "100001");
  expect(screen.getByText("At most 100,000 leaves at a time.")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Replay" })).toBeDisabled();
});
