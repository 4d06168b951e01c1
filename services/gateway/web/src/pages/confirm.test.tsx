import { screen, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { aStepUp, network, ok, SESSION } from "../test/gateway";
import { open } from "../test/render";

it("asks for a proof, and goes back to where it was asked for", async () => {
  const went = vi.fn();
  vi.stubGlobal("location", { origin: window.location.origin, replace: went });
  const { seen } = network({
    "GET /v1/session": ok(SESSION),
    "POST /v1/step-ups": ok(aStepUp({ status: "verified" }), 202),
  });
  const { user } = open("/confirm?to=%2Faudit%2Fexports%3Fformat%3Docsf");
  await user.click(await screen.findByRole("button", { name: "Confirm" }));
  await waitFor(() => expect(went).toHaveBeenCalledWith("/audit/exports?format=ocsf"));
  expect(seen.find(({ method }) => method === "POST")?.body).toMatchObject({ action: "manageAuthenticators" });
});

it("says so when it was not confirmed, and stays", async () => {
  network({
    "GET /v1/session": ok(SESSION),
    "POST /v1/step-ups": ok(aStepUp({ status: "blocked" }), 202),
  });
  const { user } = open("/confirm?to=%2Faudit%2F");
  await user.click(await screen.findByRole("button", { name: "Confirm" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("This was stopped");
});
