import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { aStepUp, CONFIG, network, ok, problem, SESSION } from "../../test/gateway";
import { open } from "../../test/render";

const CONTEXT = { amount: "184.00", currency: "EUR", payee: "Northwind Outfitters" };
const payment = aStepUp({ action: "authorizePayment", context: CONTEXT });
const SIGNED_IN = { "GET /v1/session": ok(SESSION) };

describe("the checkout", () => {
  it("asks for exactly the amount on the button, and shows it while the proof is given", async () => {
    const { seen } = network({
      ...SIGNED_IN,
      "POST /v1/step-ups": ok(payment),
      "POST /v1/step-ups/stp_1/verifications": ok({ ...payment, status: "verified", next: "done", grant: "a.b.c" }),
    });
    const { user, router } = open("/checkout");
    await user.click(await screen.findByRole("button", { name: "One more" }));
    await user.click(screen.getByRole("button", { name: "Pay €184.00" }));
    expect(await screen.findByText("€184.00", { selector: "strong" })).toBeVisible();
    await user.type(await screen.findByLabelText("Six-digit code"), "123456");
    expect(await screen.findByRole("heading", { name: "Thank you, that is paid" })).toBeVisible();
    expect(seen.find((request) => request.path === "/v1/step-ups")?.body).toMatchObject({
      action: "authorizePayment",
      context: CONTEXT,
    });
    expect(router.state.location.search).toBe("?payment=stp_1");
  });

  it.each([
    ["allowed", "Thank you, that is paid"],
    ["consumed", "Thank you, that is paid"],
    ["review", "We are checking your payment"],
    ["blocked", "We stopped this payment"],
    ["failed", "The payment was not confirmed"],
    ["expired", "The payment was not confirmed"],
    ["challenge_required", "Your payment waits for you"],
  ] as const)("draws a payment that is %s, also from its address alone", async (status, title) => {
    network({ ...SIGNED_IN, "GET /v1/step-ups/stp_1": ok({ ...payment, status }) });
    open("/checkout?payment=stp_1");
    expect(await screen.findByRole("heading", { name: title })).toBeVisible();
  });

  it("goes on by itself once a review has ended", async () => {
    const path = "GET /v1/step-ups/stp_1";
    const { answers, seen } = network({ ...SIGNED_IN, [path]: ok({ ...payment, status: "review" }) });
    open("/checkout?payment=stp_1");
    expect(await screen.findByText("Waiting for the decision…")).toBeVisible();
    answers[path] = ok({ ...payment, status: "allowed", next: "done", grant: "a.b.c" });
    expect(await screen.findByRole("heading", { name: "Thank you, that is paid" }, { timeout: 5000 })).toBeVisible();
    expect(seen.some((request) => request.headers.get("Prefer")?.startsWith("wait="))).toBe(true);
  });

  it("is not there where it is not switched on", async () => {
    const features = { ...CONFIG.features, demo_checkout: false };
    network({ ...SIGNED_IN, "GET /v1/config": ok({ ...CONFIG, features }) });
    open("/checkout");
    expect(await screen.findByRole("heading", { name: "This page does not exist" })).toBeVisible();
    expect(screen.queryByRole("button", { name: /Pay/ })).toBeNull();
  });

  it("shows the order again when the payment is nobody's any more", async () => {
    network({ ...SIGNED_IN, "GET /v1/step-ups/stp_1": problem(404, "not_found") });
    open("/checkout?payment=stp_1");
    expect(await screen.findByRole("heading", { name: "Checkout" })).toBeVisible();
  });

  it("pays nothing when the dialog is closed", async () => {
    network({ ...SIGNED_IN, "POST /v1/step-ups": ok(payment) });
    const { user } = open("/checkout");
    await user.click(await screen.findByRole("button", { name: "Pay €95.00" }));
    await user.click(await screen.findByRole("button", { name: "Close" }));
    expect(await screen.findByText("You did not confirm the payment")).toBeVisible();
  });
});
