import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { ActivityItem } from "../../../api/types";
import { aStepUp, aWay, CONFIG, network, ok, problem, SESSION, type Reply } from "../../../test/gateway";
import { open } from "../../../test/render";
import { tell } from "./Activity";
import { inFours } from "./add/AddApp";

const here = {
  id: "ses_1",
  is_current: true,
  device: "Firefox on Windows",
  ip: "192.0.2.1",
  country: "PT",
  created_at: new Date().toISOString(),
  last_seen_at: new Date().toISOString(),
  methods: ["EMAIL_OTP"],
};
const there = { ...here, id: "ses_2", is_current: false, device: "Safari on iPhone", country: null };
const event: ActivityItem = {
  id: "e-1",
  occurred_at: new Date().toISOString(),
  type: "sign_in.succeeded",
  outcome: "success",
  method: "PASSKEY",
  ip: "192.0.2.1",
  device: "Firefox on Windows",
  receipt: "e-1:00",
};

const EVERY = ["EMAIL_OTP", "PASSKEY", "SECURITY_KEY", "AUTHENTICATOR_APP", "EMAIL_MAGIC_LINK", "SMS", "PUSH"];
const ANSWERS = {
  "GET /v1/config": ok({ ...CONFIG, methods: EVERY }),
  "GET /v1/session": ok(SESSION),
  "GET /v1/me/authenticators": ok({ authenticators: [aWay()], fresh_until: null }),
  "GET /v1/sessions": ok({ sessions: [here, there] }),
  "GET /v1/me/activity": ok({ events: [event] }),
};
const RENAME = "PATCH /v1/me/authenticators/way_1";

describe("the security page", () => {
  it("lists ways, sessions and activity in plain words", async () => {
    network(ANSWERS);
    open("/account/security");
    const ways = await screen.findByRole("list", { name: "Ways to sign in" });
    expect(within(ways).getByText("Code by e-mail")).toBeVisible();
    expect(within(ways).getByText("Preferred")).toBeVisible();
    const sessions = await screen.findByRole("list", { name: "Sessions" });
    expect(within(sessions).getByText("192.0.2.1 · Portugal")).toBeVisible();
    const [first, second] = within(sessions).getAllByRole("listitem");
    expect(within(first as HTMLElement).queryByRole("button")).toBeNull();
    expect(within(second as HTMLElement).getByRole("button", { name: "Sign out Safari on iPhone" })).toBeVisible();
    const activity = await screen.findByRole("list", { name: "Recent activity" });
    expect(within(activity).getByText("With a passkey · Firefox on Windows · 192.0.2.1")).toBeVisible();
  });

  it("works on when one of its lists cannot be had", async () => {
    network({ ...ANSWERS, "GET /v1/me/activity": problem(503, "provider_busy") });
    open("/account/security");
    expect(await screen.findByText("We are very busy")).toBeVisible();
    expect(await screen.findByRole("list", { name: "Ways to sign in" })).toBeVisible();
  });

  it("asks for a confirmation when the gateway does, then does what was wanted, once", async () => {
    const { seen, answers } = network({
      ...ANSWERS,
      [RENAME]: problem(403, "step_up_required", { next: "/step-ups" }),
      "POST /v1/step-ups": ok(aStepUp()),
    });
    answers["POST /v1/step-ups/stp_1/verifications"] = () => {
      answers[RENAME] = ok({ authenticators: [aWay({ name: "My mail" })], fresh_until: null });
      return ok(aStepUp({ status: "verified", next: "done" }));
    };
    const { user } = open("/account/security");
    await user.click(await screen.findByRole("button", { name: "Rename Code by e-mail" }));
    const field = screen.getByLabelText("Name");
    await user.clear(field);
    await user.type(field, "My mail{Enter}");
    expect(await screen.findByText(/confirm that it is you/)).toBeVisible();
    await user.type(await screen.findByLabelText("Six-digit code"), "123456");
    expect(await screen.findByText("The new name is saved.")).toBeVisible();
    expect(screen.getByText("My mail")).toBeVisible();
    expect(seen.find((request) => request.path === "/v1/step-ups")?.body).toMatchObject({
      action: "manageAuthenticators",
      context: {},
    });
    expect(seen.filter((request) => request.method === "PATCH").map((request) => request.body)).toEqual([
      { name: "My mail" },
      { name: "My mail" },
    ]);
  });

  it.each([
    ["blocked", "This was stopped"],
    ["review", "We want to take a look first"],
  ] as const)("says why when the confirmation is %s by the rules, and changes nothing", async (status, words) => {
    const { seen } = network({
      ...ANSWERS,
      "DELETE /v1/me/authenticators/way_1": problem(403, "step_up_required"),
      "POST /v1/step-ups": ok(aStepUp({ status, next: "done" })),
    });
    const { user } = open("/account/security");
    await user.click(await screen.findByRole("button", { name: "Remove Code by e-mail" }));
    await user.click(screen.getByRole("button", { name: "Remove" }));
    expect(await screen.findByText(words)).toBeVisible();
    expect(seen.filter((request) => request.method === "DELETE")).toHaveLength(1);
  });

  it("tells why the last way in stays", async () => {
    network({ ...ANSWERS, "DELETE /v1/me/authenticators/way_1": problem(409, "last_authenticator") });
    const { user } = open("/account/security");
    await user.click(await screen.findByRole("button", { name: "Remove Code by e-mail" }));
    await user.click(screen.getByRole("button", { name: "Remove" }));
    expect(await screen.findByText("This is your only way in")).toBeVisible();
  });

  it("offers only what can be added: no second authenticator app, no key where the browser knows none", async () => {
    const authenticators = [aWay(), aWay({ id: "way_2", method: "AUTHENTICATOR_APP" })];
    network({ ...ANSWERS, "GET /v1/me/authenticators": ok({ authenticators, fresh_until: null }) });
    const { user } = open("/account/security");
    await user.click(await screen.findByRole("button", { name: "Add a way to sign in" }));
    const offered = within(screen.getByRole("list", { name: "What you can add" }));
    expect(offered.getAllByRole("listitem").map((item) => item.textContent)).toEqual([
      expect.stringContaining("Approval on your phone"),
      expect.stringContaining("Link by e-mail"),
      expect.stringContaining("Code by text message"),
    ]);
  });

  it("offers the code by e-mail again once it was removed", async () => {
    const authenticators = [aWay({ method: "AUTHENTICATOR_APP" })];
    network({ ...ANSWERS, "GET /v1/me/authenticators": ok({ authenticators, fresh_until: null }) });
    const { user } = open("/account/security");
    await user.click(await screen.findByRole("button", { name: "Add a way to sign in" }));
    expect(screen.getByRole("button", { name: /code by e-mail/i })).toBeEnabled();
  });

  it("signs out everywhere only after asking, and says so on the next page", async () => {
    const { answers } = network({ ...ANSWERS, "DELETE /v1/sessions": { status: 204 } });
    const { user, router } = open("/account/security");
    await user.click(await screen.findByRole("button", { name: "Sign out everywhere" }));
    answers["GET /v1/session"] = problem(401, "session_required");
    const dialog = within(screen.getByRole("dialog"));
    await user.click(dialog.getByRole("button", { name: "Sign out everywhere" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/sign-in"));
    expect(await screen.findByText("Here and on every other device.")).toBeVisible();
  });
});

describe("deleting one's account", () => {
  const DELETE = "DELETE /v1/me";

  async function ask(answers: Record<string, Reply>) {
    const world = network({ ...ANSWERS, ...answers });
    const opened = open("/account/security");
    await opened.user.click(await screen.findByRole("button", { name: "Delete my account" }));
    const dialog = within(screen.getByRole("dialog"));
    const press = () => opened.user.click(dialog.getByRole("button", { name: "Delete my account" }));
    return { ...world, ...opened, dialog, press };
  }

  it("wants the address typed, then does it and says goodbye", async () => {
    const { user, seen, answers, dialog, press, router } = await ask({ [DELETE]: { status: 204 } });
    await user.type(dialog.getByLabelText("Your e-mail address"), "ada@example.tes");
    await press();
    expect(dialog.getByLabelText("Your e-mail address")).toHaveAccessibleDescription(/Type ada@example.test/);
    expect(dialog.getByLabelText("Your e-mail address")).toBeInvalid();
    expect(seen.some((request) => request.method === "DELETE")).toBe(false);
    answers["GET /v1/session"] = problem(401, "session_required");
    await user.type(dialog.getByLabelText("Your e-mail address"), "t{Enter}");
    await waitFor(() => expect(router.state.location.pathname).toBe("/goodbye"));
    expect(await screen.findByRole("heading", { name: "Your account is deleted" })).toBeVisible();
  });

  it("confirms first where the gateway asks for it, under an action of its own", async () => {
    const { user, seen, answers, dialog, router } = await ask({
      [DELETE]: problem(403, "step_up_required", { next: "/step-ups" }),
      "POST /v1/step-ups": ok(aStepUp({ action: "deleteAccount" })),
    });
    answers["POST /v1/step-ups/stp_1/verifications"] = () => {
      answers[DELETE] = { status: 204 };
      return ok(aStepUp({ action: "deleteAccount", status: "verified", next: "done" }));
    };
    await user.type(dialog.getByLabelText("Your e-mail address"), "Ada@Example.test{Enter}");
    expect(await screen.findByText("Before your account is deleted, confirm that it is you.")).toBeVisible();
    await user.type(await screen.findByLabelText("Six-digit code"), "123456");
    await waitFor(() => expect(router.state.location.pathname).toBe("/goodbye"));
    expect(seen.find((request) => request.path === "/v1/step-ups")?.body).toMatchObject({ action: "deleteAccount" });
  });

  it("says when it could not be finished, and lets one try again", async () => {
    const { user, answers, dialog, press, router } = await ask({ [DELETE]: problem(502, "provider_error") });
    await user.type(dialog.getByLabelText("Your e-mail address"), "ada@example.test{Enter}");
    expect(await dialog.findByText("We could not finish that")).toBeVisible();
    answers[DELETE] = { status: 204 };
    await press();
    await waitFor(() => expect(router.state.location.pathname).toBe("/goodbye"));
  });
});

describe("an event", () => {
  it("names the way to sign in that it is about", () => {
    expect(tell({ ...event, type: "authenticator.added" }).words).toBe("Passkey added");
  });

  it("that was refused says so, and one that is new to us goes by its name", () => {
    expect(tell({ ...event, type: "authenticator.removed", outcome: "denied" }).words).toBe(
      "Passkey removed (refused)",
    );
    expect(tell({ ...event, type: "account.user_thing.done" }).words).toBe("account user thing done");
  });

  it("that waits for a decision is not called refused", () => {
    expect(tell({ ...event, type: "step_up.under_review", outcome: "pending" }).words).toBe(
      "An action is looked at first",
    );
  });
});

it("shows a secret in groups of four", () => {
  expect(inFours("JBSWY3DPEHPK3PXP")).toBe("JBSW Y3DP EHPK 3PXP");
});
