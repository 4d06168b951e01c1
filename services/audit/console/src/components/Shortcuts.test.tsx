import { screen, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { open } from "../test/render";
import { anEntry, Line, ok, service } from "../test/service";

it("takes keys while a choice has the focus, for nobody types there", async () => {
  vi.stubGlobal("EventSource", Line);
  service({ "GET /v1/events": ok({ events: [anEntry()], next_cursor: null }) });
  const { user, router } = open("/search");
  await user.click(await screen.findByRole("radio", { name: "1h" }));
  await user.keyboard("t");
  await waitFor(() => expect(router.state.location.search).toContain("live=1"));
  await screen.findByRole("link", { name: /sign_in.failed/ });
  await user.keyboard("j");
  expect(screen.getByRole("link", { name: /sign_in.failed/ })).toHaveFocus();
});

it("switches the single keys off, in this browser", async () => {
  service({});
  const { user, router } = open("/key");
  await user.keyboard("?");
  await user.click(await screen.findByRole("checkbox", { name: /Single keys/ }));
  await user.click(screen.getByRole("button", { name: "Close" }));
  await user.keyboard("gc?");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  expect(router.state.location.pathname).toBe("/key");
});

it("closes the drawer on Escape, on a press beside it, and on a link to the same view", async () => {
  service({});
  const { user } = open("/key");
  const menu = await screen.findByRole("button", { name: "Menu" });
  const leave = [
    () => user.keyboard("{Escape}"),
    () => user.click(screen.getByRole("main")),
    () => user.click(screen.getByRole("link", { name: "Log key" })),
  ];
  for (const one of leave) {
    await user.click(menu);
    expect(menu).toHaveAttribute("aria-expanded", "true");
    await one();
    expect(menu).toHaveAttribute("aria-expanded", "false");
  }
});
