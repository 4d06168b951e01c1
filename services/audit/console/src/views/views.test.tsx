import { act, screen, waitFor, within } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { ENTRY, EVENT_ID, KEY, LEAF_HASH, NEXT_KEY, PROOF } from "../proof/vectors";
import { anEntry, Line, ok, problem, service, shown } from "../test/service";
import { open } from "../test/render";

const PROOF_PATH = `GET /v1/events/${EVENT_ID}/proof`;
const EVENT_PATH = `GET /v1/events/${EVENT_ID}`;
const FAILING = { failing_since: "2026-01-02T03:04:05Z", last_error: "HTTP 500" };
const page = (...entries: object[]) => ok({ events: entries, next_cursor: null });

it("shows each part of the overview, or says that the service does not have it", async () => {
  service({
    "GET /v1/alerts": ok({ alerts: [], next_cursor: null }),
    "GET /v1/completeness": ok({ checked_at: "", complete: true, missing: 0, sealed: null, producers: [] }),
  });
  open("/");
  expect(await screen.findByText("No alert is open.")).toBeInTheDocument();
  expect(await screen.findAllByText("This audit service does not offer statistics.")).toHaveLength(5);
  expect(await screen.findByText("No events yet.")).toBeInTheDocument();
});

it("draws the volume as a chart and as a table", async () => {
  const starts = ["2026-01-02T03:00:00Z", "2026-01-02T04:00:00Z"];
  service({
    "GET /v1/stats": ok({
      ...{ from: starts[0], to: starts[1], by: "hour", group: "outcome", starts, total: 10 },
      series: [
        { key: "success", counts: [3, 5], total: 8 },
        { key: "failure", counts: [0, 2], total: 2 },
      ],
    }),
  });
  const { user } = open("/");
  expect(await screen.findByRole("img", { name: /10 events over time/ })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "As a table" }));
  const table = screen.getByRole("table", { name: "Events over time" });
  expect(within(table).getAllByRole("row")).toHaveLength(3);
});

it("turns what is typed into filters, and asks for exactly those", async () => {
  const seen = service({ "GET /v1/events": page(anEntry()) });
  const { user, router } = open("/search");
  await screen.findByRole("link", { name: /sign_in.failed/ });
  await user.keyboard("/");
  expect(screen.getByRole("textbox", { name: "Find events" })).toHaveFocus();
  await user.keyboard("type:sign_in. 192.0.2.7{Enter}");
  expect(await screen.findByRole("button", { name: "Remove Address 192.0.2.7" })).toBeInTheDocument();
  await waitFor(() => expect(seen.at(-1)?.query.get("ip") ?? seen.at(-2)?.query.get("ip")).toBe("192.0.2.7"));
  await user.click(screen.getByRole("button", { name: "Remove Type sign_in." }));
  await waitFor(() => expect(router.state.location.search).toBe("?ip=192.0.2.7"));
});

it("goes through the rows with j and k, opens one with Enter, and lists the keys on a question mark", async () => {
  service({
    "GET /v1/events": page(
      anEntry(),
      anEntry({ event_id: "019aa9e6-6f0d-7d3c-8a51-000000000006", event_type: "session.created" }),
    ),
  });
  const { user, router } = open("/search");
  await screen.findByRole("link", { name: /session.created/ });
  await user.keyboard("jj");
  expect(screen.getByRole("link", { name: /session.created/ })).toHaveFocus();
  await user.keyboard("k");
  expect(screen.getByRole("link", { name: /sign_in.failed/ })).toHaveFocus();
  await user.keyboard("?");
  expect(screen.getByRole("heading", { name: "Keyboard" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Close" }));
  await user.keyboard("gc");
  await waitFor(() => expect(router.state.location.pathname).toBe("/completeness"));
});

it("says what is wrong with a filter, and offers everything when nothing fits", async () => {
  service({
    "GET /v1/events": ({ query }) =>
      query.has("filter")
        ? problem(400, "invalid_request", {
            errors: [{ field: "filter", message: "At character 9, a value is missing." }],
          })
        : page(),
  });
  const { user } = open("/search?filter=outcome+eq");
  expect(await screen.findByText(/At character 9, a value is missing/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Remove Expression outcome eq" }));
  expect(await screen.findByText("Nothing fits.")).toBeInTheDocument();
});

it("shows what arrives on the live tail, each once, and what the service says of it", async () => {
  vi.stubGlobal("EventSource", Line);
  service({ "GET /v1/events": page(anEntry()) });
  const { user } = open("/search?type=session.");
  await screen.findByRole("link", { name: /sign_in.failed/ });
  await user.keyboard("t");
  await waitFor(() => expect(Line.open).toHaveLength(1));
  const [line] = Line.open;
  expect(line?.url).toContain("/v1/events/tail?type=session.");
  act(() => line?.onopen?.());
  expect(await screen.findByRole("button", { name: "Live" })).toBeInTheDocument();
  const arrived = anEntry({ event_id: "019aa9e6-6f0d-7d3c-8a51-000000000009", event_type: "session.created" });
  act(() => {
    line?.say("entry", arrived);
    line?.say("entry", arrived);
    line?.say("entry", anEntry());
    line?.say("notice", { code: "sealing_stands_still", detail: "Sealing stands still." });
  });
  expect(await screen.findByText("Sealing stands still.")).toBeInTheDocument();
  await screen.findByRole("link", { name: /session.created/ });
  expect(within(screen.getByRole("list", { name: "Events" })).getAllByRole("link")).toHaveLength(2);
  await user.keyboard("t");
  await waitFor(() => expect(Line.open).toHaveLength(0));
});

it("proves an event in the browser, and notes the key that the service named first", async () => {
  service({ [EVENT_PATH]: ok(shown()), [PROOF_PATH]: ok(PROOF) });
  open(`/events/${EVENT_ID}`);
  expect(await screen.findByText("Proven")).toBeInTheDocument();
  expect(screen.getByText("It is leaf 5 of the 7 that log.example.test/audit has signed.")).toBeInTheDocument();
  expect(screen.getByRole("group", { name: "Bytes of the entry" }).textContent).toBe(ENTRY);
  expect(localStorage.getItem("countersign.log-key")).toContain(KEY);
});

it("turns red, with the reason, when the bytes were changed on the way", async () => {
  service({ [EVENT_PATH]: ok(shown(ENTRY.replace("1.0", "1.00"))), [PROOF_PATH]: ok(PROOF) });
  open(`/events/${EVENT_ID}`);
  expect(await screen.findByText("Not proven")).toBeInTheDocument();
  expect(screen.getByRole("alert")).toHaveTextContent("the entry was changed");
});

it("holds the service to the key that it named first, whatever it names later", async () => {
  localStorage.setItem(
    "countersign.log-key",
    JSON.stringify({ text: NEXT_KEY, source: "noted", since: "2026-01-01T00:00:00Z" }),
  );
  service({ [EVENT_PATH]: ok(shown()), [PROOF_PATH]: ok(PROOF.replace(/\n[^\n]+oR12b[^\n]+\n$/, "\n")) });
  open(`/events/${EVENT_ID}`);
  expect(await screen.findByText("Not proven")).toBeInTheDocument();
  expect(screen.getByText(/names another key now/)).toBeInTheDocument();
});

it("says of an erased event what is left of it, and proves that", async () => {
  const erased = {
    event: null,
    erased: true,
    event_id: EVENT_ID,
    leaf_hash: LEAF_HASH,
    recorded_at: "2026-01-02T03:04:05Z",
    leaf_index: 5,
  };
  service({ [EVENT_PATH]: ok(erased), [PROOF_PATH]: ok(PROOF) });
  open(`/events/${EVENT_ID}`);
  expect(await screen.findByRole("heading", { level: 1, name: "Erased event" })).toBeInTheDocument();
  expect(await screen.findByText("Proven")).toBeInTheDocument();
  expect(screen.queryByRole("group", { name: "Bytes of the entry" })).not.toBeInTheDocument();
});

it.each([
  [problem(503, "audit_unavailable"), "Nothing is shown right now"],
  [ok("no key at all\n"), "The key is none"],
])("says why there is no key to check a proof with, and asks again (%#)", async (first, title) => {
  let keys = first;
  service({ [EVENT_PATH]: ok(shown()), [PROOF_PATH]: ok(PROOF), "GET /log/keys": () => keys });
  const { user } = open(`/events/${EVENT_ID}`);
  expect(await screen.findByText(title)).toBeInTheDocument();
  keys = ok(`${KEY}\n`);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Proven")).toBeInTheDocument();
});

it("takes a key from a person, and refuses what is none", async () => {
  service({});
  const { user } = open("/key");
  const field = await screen.findByRole("textbox", { name: "Public key of the log" });
  await user.type(field, "rubbish");
  await user.click(screen.getByRole("button", { name: "Trust this key" }));
  expect(await screen.findByText(/This is no key of a log/)).toBeInTheDocument();
  await user.clear(field);
  await user.type(field, KEY);
  await user.click(screen.getByRole("button", { name: "Trust this key" }));
  expect(await screen.findByText("Given by you")).toBeInTheDocument();
  expect(await screen.findByText(/Signed with the key that you trust/)).toBeInTheDocument();
});

it("draws a hole where an event is missing, and names it", async () => {
  const gap = { first_seq: 3, last_seq: 4, count: 2, noticed_at: "2026-01-02T03:04:05Z", next_event_id: EVENT_ID };
  const producer = {
    ...{
      service: "gateway",
      instance: "8a0c0000-0000-4000-8000-000000000000",
      status: "running",
      entries: 8,
      last_seq: 9,
    },
    ...{ missing: 2, repeated: 0, first_recorded_at: gap.noticed_at, last_recorded_at: gap.noticed_at },
    ...{ open_gaps: [gap], explained_gaps: [] },
  };
  const report = { checked_at: gap.noticed_at, sealed: null };
  const whole = { ...producer, instance: "9b1d0000-0000-4000-8000-000000000000", missing: 0, open_gaps: [] };
  const seen = service({
    "GET /v1/completeness": ({ query }) =>
      query.get("incomplete") === "true"
        ? ok({ ...report, complete: false, missing: 2, producers: [producer] })
        : ok({ ...report, complete: false, missing: 2, producers: [producer, whole] }),
  });
  open("/completeness");
  expect(await screen.findByText("2 events are missing")).toBeInTheDocument();
  expect(screen.getByRole("img", { name: "2 of 10 events are missing." })).toBeInTheDocument();
  expect(screen.getByText("numbers 3 to 4")).toBeInTheDocument();
  expect(await screen.findByRole("heading", { name: "gateway 9b1d0000" })).toBeInTheDocument();
  expect(screen.getAllByRole("heading", { name: /^gateway/ })).toHaveLength(2);
  expect(seen.filter(({ path, query }) => path === "/v1/completeness" && query.size === 0)).toEqual([]);
});

it("leads to a confirmation when an export needs one, and keeps what was filled in", async () => {
  const seen = service({
    "GET /v1/exports": ok({ exports: [], next_cursor: null }),
    "POST /v1/exports": problem(403, "step_up_required"),
  });
  const { user } = open("/exports?type=session.&format=csv");
  expect(await screen.findByRole("radio", { name: /^CSV/ })).toBeChecked();
  await user.click(screen.getByRole("button", { name: "Export" }));
  expect(await screen.findByText("Confirm that it is you")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Confirm" })).toHaveAttribute(
    "href",
    expect.stringContaining("/confirm?to="),
  );
  expect(seen.find(({ method }) => method === "POST")?.body).toEqual({ format: "csv", params: { type: ["session."] } });
});

it("shows where the log is sent, which streams fail, and what is archived", async () => {
  const stream = { kind: "webhook", format: "ocsf", is_required: false, next_leaf: 90, delivered_at: null };
  const day = {
    objects: 1,
    first_leaf: 0,
    last_leaf: 899,
    lock_until: "2027-01-02T00:00:00Z",
    sha256: "ab".repeat(32),
  };
  service({
    "GET /v1/streams": ok({
      streams: [
        { ...stream, name: "siem", target: "https://siem.example.test", lag_entries: 7, ...FAILING },
        { ...stream, name: "lake", target: "s3://lake/", lag_entries: 0, failing_since: null, last_error: null },
      ],
    }),
    "GET /v1/archive": ok({ days: [{ ...day, day: "2026-01-01", entries: 900, bytes: 120_000 }], next_cursor: null }),
  });
  open("/exports");
  const streams = await screen.findByRole("table", { name: "Streams" });
  expect(within(streams).getByRole("row", { name: /siem.*7.*fails.*HTTP 500/ })).toBeInTheDocument();
  expect(within(streams).getByRole("row", { name: /lake.*delivers/ })).toBeInTheDocument();
  const archive = await screen.findByRole("table", { name: "Archived days" });
  expect(within(archive).getByRole("row", { name: /2026-01-01 0 to 899 900 120k 2027-01-02/ })).toBeInTheDocument();
});

it("says which sign-in a provider knows of and the log does not", async () => {
  const sighting = { source: "cognito", kind: "sign_in", occurred_at: "2026-01-02T03:04:05Z", ref: "r-1" };
  const numbers = { matched: 4, only_ours: 0, only_theirs: 1, pending: 0 };
  service({
    "GET /v1/detections": ok({ rules: [], runs: [] }),
    "GET /v1/reconciliation": ok({
      sources: {
        cognito: { has_records: true, ...numbers },
        authsignal: { has_records: false, ...numbers, matched: 0, only_theirs: 0 },
      },
      only_ours: [],
      only_theirs: [{ ...sighting, subject: "s-9", ip: "192.0.2.9" }],
    }),
  });
  open("/detections");
  const providers = await screen.findByRole("table", { name: "Providers" });
  expect(within(providers).getByRole("row", { name: /cognito around the gateway 4 0 1 0/ })).toBeInTheDocument();
  expect(within(providers).getByRole("row", { name: /authsignal no records: not compared/ })).toBeInTheDocument();
  const theirs = screen.getByRole("table", { name: "Only the provider knows of these" });
  expect(within(theirs).getByRole("link", { name: "s-9" })).toHaveAttribute("href", "/subjects/s-9");
});

it("shows the events of an alert, with one question", async () => {
  const leaves = { first_leaf: 1, last_leaf: 9, first_seen: "2026-01-02T03:04:05Z", last_seen: "2026-01-02T03:04:05Z" };
  const seen = service({
    "GET /v1/alerts/a-1": ok({
      ...{
        id: "a-1",
        rule: "credential_stuffing",
        rule_version: 1,
        severity: "high",
        title: "People failed",
        ...leaves,
      },
      ...{
        key: "203.0.113.0/24",
        subject: null,
        ips: [],
        event_ids: [EVENT_ID],
        event_count: 3,
        state: "open",
        created_at: leaves.last_seen,
      },
    }),
    "GET /v1/events": page(anEntry()),
  });
  open("/alerts/a-1");
  expect(await screen.findByRole("link", { name: /sign_in.failed/ })).toBeInTheDocument();
  expect(screen.getByText("203.0.113.0/24")).toBeInTheDocument();
  const since = `/search?ip=203.0.113.0%2F24&from=${encodeURIComponent(leaves.first_seen)}`;
  expect(screen.getByRole("link", { name: "All that came from there since" })).toHaveAttribute("href", since);
  expect(screen.getByText("The newest 1 of 3")).toBeInTheDocument();
  const asked = seen.filter(({ path }) => path === "/v1/events").map(({ query }) => query.get("filter"));
  expect(asked).toEqual([`event_id eq "${EVENT_ID}"`]);
});

it("erases only what was spelt out", async () => {
  const made = { subject_ref: "r", erased_entries: 3, erased_keys: 1, created_at: "2026-01-02T03:04:05Z", by: "a" };
  const seen = service({
    "GET /v1/erasures": ok({
      erasures: [
        { ...made, id: "8", reason: "y", compacted_at: null },
        { ...made, id: "7", reason: "z", compacted_at: "2026-01-03T03:04:05Z" },
      ],
      next_cursor: null,
    }),
    "POST /v1/erasures": ok({
      id: "1",
      subject_ref: "r",
      erased_entries: 12,
      erased_keys: 1,
      compacted_at: null,
      created_at: "",
      by: "a",
      reason: "x",
    }),
  });
  const { user, router } = open("/erasures");
  await user.type(await screen.findByRole("textbox", { name: "Subject" }), "s-9");
  expect(router.state.location.search).toBe("?subject=s-9");
  await user.type(screen.getByRole("textbox", { name: "Reason" }), "Asked for it");
  const erase = screen.getByRole("button", { name: "Erase for good" });
  expect(erase).toBeDisabled();
  await user.type(screen.getByRole("textbox", { name: "To erase, type: erase" }), "erase");
  await user.click(erase);
  expect(await screen.findByText(/12 entries can no longer be read through the service/)).toBeInTheDocument();
  expect(screen.getByText(/files still hold it until/)).toBeInTheDocument();
  expect(screen.getByRole("cell", { name: "to be compacted" })).toBeInTheDocument();
  expect(screen.getByRole("cell", { name: "clean" })).toBeInTheDocument();
  expect(seen.find(({ method }) => method === "POST")?.body).toEqual({ subject: "s-9", reason: "Asked for it" });
});

it("goes on behind the first page of a list", async () => {
  const line = (id: number) => ({
    id,
    received_at: "2026-01-02T03:04:05Z",
    reason: "not_json",
    detail: `line ${String(id)}`,
    instance: null,
    seq: null,
    repaired_as: null,
  });
  const seen = service({
    "GET /v1/quarantine": ({ query }) =>
      query.get("cursor") === "next"
        ? ok({ lines: [line(2)], next_cursor: null })
        : ok({ lines: [line(1)], next_cursor: "next" }),
  });
  const { user } = open("/quarantine");
  await user.click(await screen.findByRole("button", { name: "Show more" }));
  expect(await screen.findByText("line 2")).toBeInTheDocument();
  expect(screen.getByText("line 1")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Show more" })).not.toBeInTheDocument();
  expect(seen.filter(({ path }) => path === "/v1/quarantine")).toHaveLength(2);
});

it("runs no search whose person was erased", async () => {
  service({
    "GET /v1/searches": ok({
      searches: [
        {
          id: "1",
          name: "Ada",
          params: {},
          is_shared: false,
          owner: { kind: "user", id: "u-1" },
          updated_at: "2026-01-02T03:04:05Z",
        },
      ],
      next_cursor: null,
    }),
  });
  open("/searches");
  expect(await screen.findByText("The person whom it named was erased.")).toBeInTheDocument();
  expect(screen.queryByRole("link", { name: "Ada" })).not.toBeInTheDocument();
  expect(screen.queryByRole("link", { name: "Live" })).not.toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Remove" })).toBeEnabled();
});

it("tells reads of a person that follow each other as one line", async () => {
  const read = (second: number, route: string, rows: number | null) => ({
    occurred_at: `2026-01-02T03:04:0${String(second)}Z`,
    actor: { kind: "user", id: "a-1" },
    ...{ route, rows },
  });
  service({
    "GET /v1/subjects/s-1/reads": ok({
      reads: [
        ...[read(9, "/v1/alerts", 2), read(8, "/v1/alerts", null), read(7, "/v1/alerts", 1)],
        ...[read(6, "/v1/events", 100), read(5, "/v1/alerts", 2)],
      ],
      next_cursor: null,
    }),
  });
  open("/subjects/s-1");
  const table = await screen.findByRole("table", { name: "Reads" });
  const lines = within(table).getAllByRole("row").slice(1);
  expect(
    lines.map((line) =>
      within(line)
        .getAllByRole("cell")
        .slice(2)
        .map((cell) => cell.textContent),
    ),
  ).toEqual([
    ["/v1/alerts", "3", "3"],
    ["/v1/events", "1", "100"],
    ["/v1/alerts", "1", "2"],
  ]);
});

it("leaves the reads of the log out with one click", async () => {
  const seen = service({ "GET /v1/events": page() });
  const { user } = open("/search?q=x");
  await user.click(await screen.findByRole("button", { name: "Hide reads" }));
  await waitFor(() => expect(seen.at(-1)?.query.get("filter")).toBe('not (event_type eq "audit.query.executed")'));
  expect(screen.getByRole("button", { name: "Hide reads" })).toHaveAttribute("aria-pressed", "true");
});

it("keeps a search under a name", async () => {
  const seen = service({ "GET /v1/events": page(), "POST /v1/searches": ok({ id: "1" }) });
  const { user } = open("/search?type=session.&live=0&last=1h");
  await user.click(await screen.findByRole("button", { name: "Save" }));
  expect(screen.getByText(/The span of the last 1h is not kept/)).toBeInTheDocument();
  await user.type(screen.getByRole("textbox", { name: "Name" }), "Sessions");
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(seen.find(({ method }) => method === "POST")?.body).toEqual({
    name: "Sessions",
    params: { type: "session." },
    is_shared: false,
  });
});

it.each([
  ["/alerts", "alerts"],
  ["/searches", "saved searches"],
  ["/detections", "detections"],
  ["/quarantine", "the quarantine"],
  ["/exports", "exports"],
  ["/erasures", "erasure"],
])("says at %s that an older service does not offer %s", async (path, what) => {
  service({});
  open(path);
  expect(await screen.findByText(`This audit service does not offer ${what}.`)).toBeInTheDocument();
});

it.each([
  [problem(401, "session_expired"), "Your session has ended"],
  [problem(403, "forbidden"), "You are not an auditor"],
  [problem(503, "audit_unavailable"), "Nothing is shown right now"],
  [problem(422, "search_too_broad"), "This search takes too long"],
  [new TypeError("no network"), "The gateway does not answer"],
  [{ status: 502, text: "<html>" }, "The audit service does not answer"],
])("says what stands in the way (%#)", async (answer, title) => {
  service({ "GET /v1/events": answer });
  open("/search");
  expect(await screen.findByText(title)).toBeInTheDocument();
});
