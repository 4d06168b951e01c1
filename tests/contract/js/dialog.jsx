// A page with the React SDK's challenge dialog; the check says which token it starts with.
import { createElement, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { AuthsignalProvider, useAuthsignal } from "@authsignal/react";

function Page() {
  const { startChallenge } = useAuthsignal();
  useEffect(() => {
    window.startChallenge = (token) =>
      startChallenge({
        token,
        onChallengeSuccess: (result) => { window.outcome = { token: result.token }; },
        onCancel: () => { window.outcome = { cancelled: true }; },
        onTokenExpired: () => { window.outcome = { expired: true }; },
      });
  });
  return null;
}

window.show = (settings) => {
  const host = document.body.appendChild(document.createElement("div"));
  createRoot(host).render(createElement(AuthsignalProvider, settings, createElement(Page)));
};
