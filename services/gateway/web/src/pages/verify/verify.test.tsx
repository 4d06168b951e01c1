import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { rememberAttempt } from "../../lib/attempt";
import { anAttempt, network, ok, problem, PROFILE, SESSION } from "../../test/gateway";
import { open } from "../../test/render";
import { endingOf } from "./Verify";

const ATTEMPT = "GET /v1/attempts/att_1";
const VERIFY = "POST /v1/attempts/att_1/verifications";
const SEND = "POST /v1/attempts/att_1/challenges";

const past = () => new Date(Date.now() - 2000).toISOString();
const code = () => screen.findByLabelText("Six-digit code");

beforeEach(() => rememberAttempt("att_1", "ada@example.test"));

describe("the code", () => {
  it("opens the account as soon as it is complete and right", async () => {
    const { seen } = network({ [ATTEMPT]: ok(anAttempt()), [VERIFY]: ok(SESSION), "GET /v1/me": ok(PROFILE) });
    const { user } = open("/verify");
    await user.type(await code(), "123456");
    expect(await screen.findByRole("heading", { name: "Your account" })).toBeVisible();
    expect(seen.filter((request) => request.path.endsWith("/verifications")).map((request) => request.body)).toEqual([
      { code: "123456" },
    ]);
    expect(sessionStorage.length).toBe(0);
  });

  it("when wrong, says so at the field, counts the tries, and can be typed over", async () => {
    network({ [ATTEMPT]: ok(anAttempt()), [VERIFY]: problem(401, "invalid_code", { attempts_left: 2 }) });
    const { user } = open("/verify");
    await user.type(await code(), "000000");
    expect(await screen.findByRole("alert")).toHaveTextContent("That code did not work.");
    const input = await code();
    expect(input).toBeInvalid();
    expect(input).toHaveFocus();
    expect(screen.getByText("2 tries left")).toBeVisible();
    await user.keyboard("1");
    expect(input).toHaveValue("1");
  });

  it("ends with a way to start again when the last try is used", async () => {
    const { answers } = network({ [ATTEMPT]: ok(anAttempt({ attempts_left: 1 })) });
    answers[VERIFY] = () => {
      answers[ATTEMPT] = ok(anAttempt({ status: "failed", attempts_left: 0 }));
      return problem(401, "attempt_failed");
    };
    const { user } = open("/verify");
    await user.type(await code(), "000000");
    expect(await screen.findByRole("heading", { name: "No tries left" })).toHaveFocus();
    expect(screen.getByRole("link", { name: "Start again" })).toHaveAttribute("href", "/sign-in");
  });

  it("is asked for in full before anything is sent", async () => {
    const { seen } = network({ [ATTEMPT]: ok(anAttempt()) });
    const { user } = open("/verify");
    await user.type(await code(), "12{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("Enter all six digits");
    expect(seen.some((request) => request.method === "POST")).toBe(false);
  });

  it("stays in the field when the service is busy, so that it can be sent again", async () => {
    network({ [ATTEMPT]: ok(anAttempt()), [VERIFY]: problem(503, "provider_busy") });
    const { user } = open("/verify");
    await user.type(await code(), "123456");
    expect(await screen.findByRole("alert")).toHaveTextContent("We are very busy");
    expect(await code()).toHaveValue("123456");
  });
});

describe("sending again", () => {
  it("waits for the cool-down that the gateway names", async () => {
    const { seen } = network({ [ATTEMPT]: ok(anAttempt()) });
    const { user } = open("/verify");
    const button = await screen.findByRole("button", { name: /^Send a new code in 0:\d\d$/ });
    expect(button).toHaveAttribute("aria-disabled", "true");
    await user.click(button);
    expect(seen.some((request) => request.method === "POST")).toBe(false);
  });

  it("says that a new code is on its way, and cools down again", async () => {
    network({ [ATTEMPT]: ok(anAttempt({ resend_at: past() })), [SEND]: ok(anAttempt(), 202) });
    const { user } = open("/verify");
    await user.click(await screen.findByRole("button", { name: "Send a new code" }));
    expect(await screen.findByText(/A new code is on its way/)).toBeVisible();
    expect(screen.getByRole("button", { name: /^Send a new code in/ })).toBeVisible();
  });

  it("asks for patience, not pardon, when it was pressed too soon by the gateway's clock", async () => {
    const resend_at = new Date(Date.now() + 20_000).toISOString();
    network({
      [ATTEMPT]: ok(anAttempt({ resend_at: past() })),
      [SEND]: problem(429, "too_many_attempts", { resend_at, retry_after: 20 }),
    });
    const { user } = open("/verify");
    await user.click(await screen.findByRole("button", { name: "Send a new code" }));
    expect(await screen.findByText(/a little too soon/)).toBeVisible();
    expect(screen.getByRole("button", { name: /^Send a new code in/ })).toBeVisible();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("is not offered when there are no codes left to send", async () => {
    network({ [ATTEMPT]: ok(anAttempt({ resend_at: null })) });
    open("/verify");
    expect(await screen.findByText(/the last code that we can send/)).toBeVisible();
    expect(screen.queryByRole("button", { name: /Send a new code/ })).toBeNull();
  });
});

describe("an attempt", () => {
  it("is taken up again after a reload, and can be given up for another address", async () => {
    const { seen } = network({ [ATTEMPT]: ok(anAttempt()), "DELETE /v1/attempts/att_1": { status: 204 } });
    const { user, router } = open("/verify");
    await code();
    await user.click(screen.getByText("Did not get it?"));
    await user.click(screen.getByRole("button", { name: "Use another address" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/sign-in"));
    expect(await screen.findByLabelText("E-mail address")).toHaveValue("ada@example.test");
    expect(seen.some((request) => request.method === "DELETE")).toBe(true);
  });

  it.each([
    ["expired", "This took too long"],
    ["failed", "No tries left"],
    ["review", "We want to take a look first"],
    ["blocked", "This was stopped"],
  ] as const)("with status %s is drawn as its end", async (status, title) => {
    network({ [ATTEMPT]: ok(anAttempt({ status })) });
    open("/verify");
    expect(await screen.findByRole("heading", { name: title })).toBeVisible();
  });

  it.each([
    [problem(404, "not_found"), "There is nothing to confirm"],
    [problem(410, "attempt_expired"), "This took too long"],
  ])("that the gateway no longer has (%#) leads back to the start", async (answer, title) => {
    network({ [ATTEMPT]: answer });
    open("/verify");
    expect(await screen.findByRole("heading", { name: title })).toBeVisible();
  });

  it("has expired by the clock even before the gateway says so", () => {
    expect(endingOf(anAttempt({ expires_at: past() }), Date.now())).toBe("expired");
    expect(endingOf(anAttempt({ status: "completed", expires_at: past() }), Date.now())).toBeNull();
  });

  it("with nothing sent yet lets the person ask for the code", async () => {
    network({ [ATTEMPT]: ok(anAttempt({ method: null, delivery: null })), [SEND]: ok(anAttempt(), 202) });
    const { user } = open("/verify");
    await user.click(await screen.findByRole("button", { name: /^Send a code by e-mail/ }));
    expect(await code()).toBeVisible();
  });
});

describe("with the Web SDK", () => {
  const access = { token: "track-token", tenant_id: "tenant", base_url: "http://localhost:8100/v1" };
  const CHALLENGE = "POST /v1/client/challenge/email-otp";
  const PROVE = "POST /v1/client/verify/email-otp";

  it("sends and checks the code in the browser and hands in the token that proves it", async () => {
    const { seen } = network({
      [ATTEMPT]: ok(anAttempt({ sdk: access })),
      [CHALLENGE]: ok({ challengeId: "c" }),
      [PROVE]: ok({ isVerified: true, accessToken: "proof" }),
      "POST /v1/attempts/att_1/completions": ok(SESSION),
      "GET /v1/me": ok(PROFILE),
    });
    const { user } = open("/verify?via=sdk");
    await user.click(await screen.findByRole("button", { name: "Send a code" }));
    await user.type(await code(), "123456");
    expect(await screen.findByRole("heading", { name: "Your account" })).toBeVisible();
    const proved = seen.find((request) => request.path.endsWith("/verify/email-otp"));
    expect(proved?.headers.get("Authorization")).toBe("Bearer track-token");
    expect(seen.find((request) => request.path.endsWith("/completions"))?.body).toEqual({ token: "proof" });
  });

  it("says that a code was wrong, and takes another", async () => {
    network({
      [ATTEMPT]: ok(anAttempt({ sdk: access })),
      [CHALLENGE]: ok({ challengeId: "c" }),
      [PROVE]: ok({ isVerified: false, failureReason: "CODE_INVALID_OR_EXPIRED" }),
    });
    const { user } = open("/verify?via=sdk");
    await user.click(await screen.findByRole("button", { name: "Send a code" }));
    await user.type(await code(), "000000");
    expect(await screen.findByRole("alert")).toHaveTextContent("That code did not work.");
  });

  it("says when the code service does not answer, and offers the other way", async () => {
    network({ [ATTEMPT]: ok(anAttempt({ sdk: access })), [CHALLENGE]: new TypeError("network") });
    const { user } = open("/verify?via=sdk");
    await user.click(await screen.findByRole("button", { name: "Send a code" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("The verification service did not answer");
    await user.click(screen.getByText("Did not get it?"));
    await user.click(screen.getByRole("link", { name: "Use the code that we sent" }));
    expect(await code()).toBeVisible();
  });

  it("is not offered where the attempt has no token for it", async () => {
    network({ [ATTEMPT]: ok(anAttempt()) });
    const { user } = open("/verify?via=sdk");
    await user.click(await screen.findByText("Did not get it?"));
    expect(screen.queryByRole("link", { name: "Verify in this browser" })).toBeNull();
  });
});
