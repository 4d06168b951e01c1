import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { rememberAttempt } from "../lib/attempt";
import { anAttempt, network, ok, problem, PROFILE, SESSION, type Reply } from "../test/gateway";
import { open } from "../test/render";

const ATTEMPT = "GET /v1/attempts/att_1";
const SEND = "POST /v1/attempts/att_1/challenges";
const COMPLETE = "POST /v1/attempts/att_1/completions";
const EVERY = ["EMAIL_OTP", "EMAIL_MAGIC_LINK", "PUSH", "QR_CODE", "AUTHENTICATOR_APP"];
const push = anAttempt({ methods: EVERY, method: "PUSH", next: "wait", delivery: null });

beforeEach(() => rememberAttempt("att_1", "ada@example.test"));

describe("waiting for the phone", () => {
  it("holds one request open, and goes on by itself when the phone has answered", async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const held = new Promise<Reply>((resolve) => {
      answer = resolve;
    });
    const { seen, answers } = network({
      [ATTEMPT]: (asked) => (asked.headers.get("Prefer") ? held : ok(push)),
      [COMPLETE]: ok(SESSION),
      "GET /v1/me": ok(PROFILE),
    });
    open("/verify");
    expect(await screen.findByRole("heading", { name: "Check your phone" })).toBeVisible();
    await waitFor(() => expect(seen.filter((request) => request.headers.get("Prefer") === "wait=20")).toHaveLength(1));
    answers["GET /v1/session"] = ok(SESSION);
    answer(ok({ ...push, status: "verified", next: "complete" }));
    expect(await screen.findByRole("heading", { name: "Your account" })).toBeVisible();
    expect(seen.find((request) => request.path.endsWith("/completions"))?.body).toEqual({});
    expect(seen.filter((request) => request.headers.get("Prefer"))).toHaveLength(1);
  });

  it("does not storm a gateway that answers at once", async () => {
    const { seen } = network({ [ATTEMPT]: ok(push) });
    open("/verify");
    await screen.findByRole("heading", { name: "Check your phone" });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(seen.filter((request) => request.headers.get("Prefer"))).toHaveLength(1);
  });

  it("tells a refusal on the phone from wrong codes", async () => {
    network({ [ATTEMPT]: ok({ ...push, status: "failed", next: "done" }) });
    open("/verify");
    expect(await screen.findByRole("heading", { name: "It was turned down on the phone" })).toBeVisible();
  });
});

describe("a QR code", () => {
  it("is drawn as an image with a name, and can be made anew when it has cooled down", async () => {
    const qr = { content: "challenge-1", expires_at: push.expires_at };
    const scan = { ...push, method: "QR_CODE", qr, resend_at: new Date(Date.now() - 5_000).toISOString() };
    const { seen } = network({
      [ATTEMPT]: ok(scan),
      [SEND]: ok({ ...scan, qr: { ...qr, content: "challenge-2" } }, 202),
    });
    const { user } = open("/verify");
    const drawn = (await screen.findByRole("img", { name: /QR code/ })).querySelector("path")?.getAttribute("d");
    await user.click(screen.getByRole("button", { name: "Show a new code" }));
    expect(await screen.findByText("This is a new code.")).toBeVisible();
    expect(
      screen
        .getByRole("img", { name: /QR code/ })
        .querySelector("path")
        ?.getAttribute("d"),
    ).not.toBe(drawn);
    expect(seen.find((request) => request.method === "POST")?.body).toEqual({ method: "QR_CODE" });
  });
});

describe("another way", () => {
  it("is one press; what goes to the same mailbox waits for the cool-down, what goes elsewhere does not", async () => {
    const code = anAttempt({ methods: EVERY });
    const app = { ...code, method: "AUTHENTICATOR_APP", delivery: null, resend_at: null };
    const { seen } = network({ [ATTEMPT]: ok(code), [SEND]: ok(app, 202) });
    const { user } = open("/verify");
    await user.click(await screen.findByRole("button", { name: "Try another way" }));
    const link = screen.getByRole("button", { name: /Send a link by e-mail/ });
    expect(link).toHaveAttribute("aria-disabled", "true");
    expect(link).toHaveTextContent(/Possible in 0:\d\d/);
    await user.click(link);
    expect(seen.some((request) => request.method === "POST")).toBe(false);
    expect(screen.getByRole("button", { name: /Approve on your phone/ })).not.toHaveAttribute("aria-disabled", "true");
    await user.click(screen.getByRole("button", { name: /Use your authenticator app/ }));
    expect(await screen.findByText(/Open your authenticator app/)).toBeVisible();
    expect(screen.queryByRole("button", { name: /Send a new code/ })).toBeNull();
  });

  it("leads back to the way under way without sending anything", async () => {
    const { seen } = network({ [ATTEMPT]: ok(anAttempt({ methods: EVERY })) });
    const { user } = open("/verify");
    await user.click(await screen.findByRole("button", { name: "Try another way" }));
    await user.click(screen.getByRole("button", { name: "Back" }));
    expect(await screen.findByRole("heading", { name: "Enter your code" })).toBeVisible();
    expect(seen.some((request) => request.method === "POST")).toBe(false);
  });

  it("that is refused says so and leaves the choice open", async () => {
    network({ [ATTEMPT]: ok(anAttempt({ methods: EVERY, resend_at: null })), [SEND]: problem(503, "provider_busy") });
    const { user } = open("/verify");
    await user.click(await screen.findByRole("button", { name: "Try another way" }));
    await user.click(screen.getByRole("button", { name: /Approve on your phone/ }));
    expect(await screen.findByRole("alert")).toHaveTextContent("We are very busy");
    expect(screen.getByRole("heading", { name: "Choose another way" })).toBeVisible();
  });
});
