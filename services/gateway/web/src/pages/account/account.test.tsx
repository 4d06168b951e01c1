import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { network, ok, problem, PROFILE, SESSION } from "../../test/gateway";
import { open } from "../../test/render";

const SIGNED_IN = { "GET /v1/session": ok(SESSION), "GET /v1/me": ok(PROFILE) };

it("shows who is signed in, since when and how", async () => {
  network(SIGNED_IN);
  open("/account");
  expect(await screen.findByText("ada@example.test")).toBeVisible();
  expect(screen.getByText("With a code by e-mail")).toBeVisible();
  expect(screen.getByText(/minute ago|just now/)).toBeVisible();
  expect(screen.getByText("ses_1")).toBeVisible();
});

it("asks a guest to sign in, and remembers the page", async () => {
  network({});
  const { router } = open("/account?tab=1");
  expect(await screen.findByRole("heading", { name: "Sign in" })).toBeVisible();
  expect(router.state.location.search).toBe("?to=%2Faccount%3Ftab%3D1");
});

it("says why, when the session has come to its end", async () => {
  network({ "GET /v1/session": problem(401, "session_expired") });
  open("/account");
  expect(await screen.findByText("You were signed out")).toBeVisible();
});

it("saves a new name and says so", async () => {
  const { seen } = network({ ...SIGNED_IN, "PATCH /v1/me": ok({ ...PROFILE, display_name: "Ada L." }) });
  const { user } = open("/account");
  await user.click(await screen.findByRole("button", { name: "Change name" }));
  expect(screen.getByLabelText("Name")).toHaveFocus();
  await user.keyboard("Ada L.{Enter}");
  expect(await screen.findByText("Saved")).toBeVisible();
  expect(screen.getByRole("button", { name: "Change name" })).toHaveFocus();
  expect(seen.find((request) => request.method === "PATCH")?.body).toEqual({ display_name: "Ada L." });
});

it("keeps the form open with the reason when a name is refused, and closes it with Escape", async () => {
  const errors = [{ field: "display_name", message: "Use letters." }];
  network({ ...SIGNED_IN, "PATCH /v1/me": problem(400, "invalid_request", { errors }) });
  const { user } = open("/account");
  await user.click(await screen.findByRole("button", { name: "Change name" }));
  await user.keyboard("???{Enter}");
  await waitFor(() => expect(screen.getByLabelText("Name")).toHaveAccessibleDescription("Use letters."));
  await user.type(screen.getByLabelText("Name"), "{Escape}");
  expect(screen.queryByLabelText("Name")).toBeNull();
});

it("signs out and says so", async () => {
  const { answers } = network({ ...SIGNED_IN, "DELETE /v1/session": { status: 204 } });
  const { user, router } = open("/account");
  await screen.findByText("ada@example.test");
  answers["GET /v1/session"] = problem(401, "session_required");
  await user.click(screen.getByRole("button", { name: "Sign out" }));
  expect(await screen.findByText("You are signed out")).toBeVisible();
  expect(router.state.location.pathname).toBe("/sign-in");
  expect(router.state.location.search).toBe("");
});

it("stays, and says so, when signing out fails", async () => {
  network({ ...SIGNED_IN, "DELETE /v1/session": problem(503, "audit_unavailable") });
  const { user } = open("/account");
  await user.click(await screen.findByRole("button", { name: "Sign out" }));
  expect(await screen.findByRole("alert")).toBeVisible();
  expect(screen.getByRole("heading", { name: "Your account" })).toBeVisible();
});

it("offers to try again when the profile cannot be had", async () => {
  const { answers } = network({ ...SIGNED_IN, "GET /v1/me": problem(503, "provider_busy") });
  const { user } = open("/account");
  expect(await screen.findByRole("alert")).toHaveTextContent("We are very busy");
  answers["GET /v1/me"] = ok(PROFILE);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("ada@example.test")).toBeVisible();
});
