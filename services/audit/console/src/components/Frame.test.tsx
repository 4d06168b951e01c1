import { screen, waitFor, within } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { AUDITORS } from "../api/gateway";
import { open } from "../test/render";
import { ok, service } from "../test/service";

// The console behind the gateway: the page is told where it stands before anything of it is loaded.
vi.hoisted(() => {
  document.head.innerHTML = '<base href="http://localhost/audit/">';
});

const READER = { sub: "u-1", email: "a@example.test", display_name: null };

it("offers to share and remove one's own searches only", async () => {
  const kept = { params: { type: "session." }, is_shared: true, updated_at: "2026-01-02T03:04:05Z" };
  service({
    "GET /v1/session": ok({ subject: READER, groups: [AUDITORS] }),
    "GET /audit/v1/searches": ok({
      searches: [
        { ...kept, id: "1", name: "Mine", owner: { kind: "user", id: "u-1" } },
        { ...kept, id: "2", name: "Theirs", owner: { kind: "user", id: "u-2" } },
      ],
      next_cursor: null,
    }),
  });
  open("/searches");
  const mine = await screen.findByRole("row", { name: /^Mine/ });
  expect(within(mine).getAllByRole("button")).toHaveLength(2);
  expect(within(screen.getByRole("row", { name: /^Theirs/ })).queryByRole("button")).not.toBeInTheDocument();
});

it("asks the log nothing for somebody who is no auditor", async () => {
  const seen = service({ "GET /v1/session": ok({ subject: READER, groups: [] }) });
  open("/");
  expect(await screen.findByText("The audit log is for auditors")).toBeInTheDocument();
  await waitFor(() => expect(seen.map(({ path }) => path)).toContain("/v1/session"));
  expect(seen.filter(({ path }) => path.startsWith("/audit/"))).toEqual([]);
});
