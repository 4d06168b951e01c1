import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { anAttempt, CONFIG, network, ok, problem, SESSION } from "../test/gateway";
import { open } from "../test/render";

it("sends the address and goes on to the code", async () => {
  const { seen } = network({ "POST /v1/sign-ins": ok(anAttempt(), 202) });
  const { router, user } = open("/sign-in?to=%2Faudit%2F");
  await user.type(await screen.findByLabelText("E-mail address"), " ada@example.test ");
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "Enter your code" })).toBeVisible();
  expect(screen.getByText("a***@example.test")).toBeVisible();
  expect(router.state.location.search).toBe("?to=%2Faudit%2F");
  const sent = seen.find((request) => request.method === "POST");
  expect(sent?.body).toMatchObject({ identifier: "ada@example.test" });
  expect(sent?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f-]{36}$/);
  expect(sent?.headers.get("Content-Type")).toBe("application/json");
});

it("keeps only the attempt's id in the tab's storage", async () => {
  network({ "POST /v1/sign-ins": ok(anAttempt(), 202) });
  const { user } = open("/sign-in");
  await user.type(await screen.findByLabelText("E-mail address"), "ada@example.test{Enter}");
  await screen.findByRole("heading", { name: "Enter your code" });
  expect(Object.entries(sessionStorage)).toEqual([["countersign.attempt", "att_1"]]);
});

it("points out a slip in the address without asking the gateway, and puts the focus there", async () => {
  const { seen } = network({});
  const { user } = open("/sign-in");
  await user.click(await screen.findByRole("button", { name: "Continue" }));
  const field = screen.getByLabelText("E-mail address");
  expect(field).toHaveFocus();
  expect(field).toBeInvalid();
  expect(field).toHaveAccessibleDescription("Enter your e-mail address.");
  expect(seen.some((request) => request.method === "POST")).toBe(false);
});

it("lists every slip of the sign-up form, each line leading to its field", async () => {
  network({});
  const { user } = open("/sign-up");
  await user.type(await screen.findByLabelText("Your name (optional)"), "x".repeat(101));
  await user.click(screen.getByRole("button", { name: "Continue" }));
  const summary = screen.getByText("2 things to correct").closest<HTMLElement>("[role=alert]");
  expect(summary).toHaveFocus();
  await user.click(within(summary as HTMLElement).getByRole("link", { name: "Enter your e-mail address." }));
  expect(screen.getByLabelText("E-mail address")).toHaveFocus();
});

it("shows what the gateway found wrong at the field that it names", async () => {
  const message = "This address cannot be used.";
  network({ "POST /v1/sign-ups": problem(400, "invalid_request", { errors: [{ field: "email", message }] }) });
  const { user } = open("/sign-up");
  await user.type(await screen.findByLabelText("E-mail address"), "ada@example.test{Enter}");
  await waitFor(() => expect(screen.getByLabelText("E-mail address")).toHaveAccessibleDescription(message));
});

it.each([
  [problem(503, "provider_busy"), "We are very busy"],
  [problem(503, "audit_unavailable"), "We are not able to sign people in right now"],
  [problem(429, "too_many_attempts", { retry_after: 120 }), "Too many tries"],
  [new TypeError("network"), "We cannot be reached right now"],
])("says in plain words that it did not work (%#), and lets the person try again", async (answer, title) => {
  const { answers } = network({ "POST /v1/sign-ins": answer });
  const { user } = open("/sign-in");
  await user.type(await screen.findByLabelText("E-mail address"), "ada@example.test{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent(title);
  answers["POST /v1/sign-ins"] = ok(anAttempt(), 202);
  await user.click(screen.getByRole("button", { name: "Continue" }));
  expect(await screen.findByRole("heading", { name: "Enter your code" })).toBeVisible();
});

it("sends a person who is signed in on to the account", async () => {
  network({ "GET /v1/session": ok(SESSION), "GET /v1/me": problem(503, "provider_busy") });
  const { router } = open("/sign-in");
  await waitFor(() => expect(router.state.location.pathname).toBe("/account"));
});

it("carries the operator's name, and says when a page does not exist", async () => {
  network({});
  open("/no/such/page");
  expect(await screen.findByRole("heading", { name: "This page does not exist" })).toBeVisible();
  expect(screen.getByRole("link", { name: "Example" })).toBeVisible();
  expect(document.title).toBe("This page does not exist · Example");
});

it("says that a page broke, in place of a blank one", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  network({ "GET /v1/session": ok({ not: "a session" }) });
  open("/account");
  expect(await screen.findByRole("heading", { name: "Something broke on this page" })).toBeVisible();
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeVisible();
});

it("shows our mark when the operator's logo cannot be loaded", async () => {
  network({ "GET /v1/config": ok({ ...CONFIG, brand: { ...CONFIG.brand, logo_url: "/assets/none.svg" } }) });
  open("/sign-in");
  const home = await screen.findByRole("link", { name: "Example" });
  const logo = home.querySelector("img");
  expect(logo).toHaveAttribute("src", "/assets/none.svg");
  if (logo) fireEvent.error(logo);
  expect(home.querySelector("svg")).not.toBeNull();
});

it("offers to try again when not even the settings can be had", async () => {
  const { answers } = network({ "GET /v1/config": new TypeError("network") });
  const { user } = open("/sign-in");
  expect(await screen.findByRole("alert")).toHaveTextContent("We cannot be reached right now");
  answers["GET /v1/config"] = ok(CONFIG);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("heading", { name: "Sign in" })).toBeVisible();
});
