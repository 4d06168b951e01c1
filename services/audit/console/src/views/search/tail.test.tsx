import { act, screen, waitFor, within } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { open } from "../../test/render";
import { anEntry, Line, ok, service } from "../../test/service";

const numbered = (number: number) => anEntry({ event_id: `e-${String(number)}`, event_type: "session.created" });

async function live(path: string, answers: Parameters<typeof service>[0] = {}) {
  vi.stubGlobal("EventSource", Line);
  Line.open = [];
  const seen = service({ "GET /v1/events": ok({ events: [anEntry()], next_cursor: null }), ...answers });
  const { user } = open(path);
  await screen.findByRole("link", { name: /sign_in.failed/ });
  const line = Line.open[0];
  if (!line) throw new Error("no line is open");
  return { seen, user, line };
}

it("follows from now on: the search has what a span reaches back to", async () => {
  const { line } = await live("/search?type=session.&last=24h&live=1");
  expect(line.url).toMatch(/tail\?type=session\.$/);
});

it("closes the line on a problem, for asking again would bring the same", async () => {
  const { line } = await live("/search?live=1");
  act(() => line.say("problem", { code: "search_too_broad", detail: "Narrow it." }));
  expect(await screen.findByText("Narrow it.")).toBeInTheDocument();
  expect(screen.getByText(/live tail was closed/).closest("[role=status]")).toBeInTheDocument();
  expect(Line.open).toHaveLength(0);
});

it("reads the first page anew when a line begins, and nothing when it goes on where it was cut", async () => {
  const { seen, user, line } = await live("/search?live=1", {
    "GET /v1/events": ({ query }) =>
      query.has("cursor")
        ? ok({ events: [numbered(1)], next_cursor: null })
        : ok({ events: [anEntry()], next_cursor: "next" }),
  });
  await user.click(await screen.findByRole("button", { name: "Older events" }));
  await screen.findByRole("link", { name: /session.created/ });
  const reads = () => seen.filter(({ path }) => path === "/v1/events").length;
  act(() => line.onopen?.());
  await waitFor(() => expect(reads()).toBe(3));
  act(() => {
    line.say("entry", numbered(2));
    line.onopen?.();
  });
  await screen.findByRole("link", { name: /session.created/ });
  expect(reads()).toBe(3);
});

it("takes a notice back when the service no longer repeats it", async () => {
  const { line } = await live("/search?live=1");
  vi.useFakeTimers();
  try {
    act(() => line.say("notice", { code: "sealing_stands_still", detail: "Sealing stands still." }));
    expect(screen.getByText("Sealing stands still.")).toBeInTheDocument();
    act(() => void vi.advanceTimersByTime(41_000));
    expect(screen.queryByText("Sealing stands still.")).not.toBeInTheDocument();
  } finally {
    vi.useRealTimers();
  }
});

it("says how many arrivals it no longer holds, where they are missing, and finds them again", async () => {
  const { seen, user, line } = await live("/search?live=1");
  act(() => {
    for (let number = 0; number < 503; number += 1) line.say("entry", numbered(number));
  });
  expect(await screen.findByText(/3 more arrived here/)).toBeInTheDocument();
  expect(within(screen.getByRole("list", { name: "Events that arrived" })).getAllByRole("listitem")).toHaveLength(500);
  const before = seen.length;
  const [, again] = screen.getAllByRole("button", { name: "Look again" });
  if (again) await user.click(again);
  await waitFor(() => expect(screen.queryByText(/more arrived here/)).not.toBeInTheDocument());
  expect(seen.length).toBeGreaterThan(before);
});
