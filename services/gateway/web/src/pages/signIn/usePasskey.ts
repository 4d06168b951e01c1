import { useMutation } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { api, isSession } from "../../api/client";
import { useIntent } from "../../api/intent";
import { isProblem } from "../../api/problem";
import { useConfig } from "../../brand";
import { device, SdkRefused } from "../../lib/authsignal";
import { useArrival } from "../../lib/flow";
import { offerPasskeys, proveAnyPasskey } from "../../lib/keys";
import { UnderReview } from "../../lib/review";
import { pause } from "../../lib/pause";
import { canSign, canSuggest } from "../../lib/webauthn";

/** How long after a failure passkeys are suggested again; twice as long after each further one, up to the second number. */
const AGAIN_AFTER_MS = 1_000;
const AGAIN_AFTER_MS_MAX = 30_000;

interface PasskeySignIn {
  /** Whether this deployment and this browser can do it at all. */
  isOffered: boolean;
  press: () => void;
  pending: boolean;
  error: Error | null;
}

/**
 * Sign-in with a passkey and no typed name: by a button, and among the suggestions of the address field.
 *
 * One request waits in the browser at a time. It ends when the page is left, and begins anew after a press of the button,
 * which takes its place. After a failure it begins anew too, after a while: an authenticator that answers by itself must not ask
 * the gateway for what it refuses over and over.
 */
export function usePasskey(): PasskeySignIn {
  const { methods, authsignal, actions } = useConfig();
  const intent = useIntent();
  const arrive = useArrival();
  const isOffered = methods.includes("PASSKEY") && canSign();
  const [round, setRound] = useState(0);
  const offer = useRef<AbortController>(null);

  const signIn = useMutation({
    mutationFn: async (suggested: string | null) => {
      const token = suggested ?? (await proveAnyPasskey(authsignal, actions.sign_in));
      const outcome = await intent({ token }, (key) => api.signInWithPasskey({ token, ...device() }, key)).catch(
        (error: unknown) => {
          // A passkey of an account that is no more, or that no longer knows it.
          throw isProblem(error, "attempt_failed") ? new SdkRefused("no_such_passkey") : error;
        },
      );
      if (!isSession(outcome)) throw new UnderReview();
      await arrive(outcome);
    },
    onError: () => setRound((before) => before + 1),
  });
  const chosen = useEffectEvent((token: string) => signIn.mutate(token));

  useEffect(() => {
    if (!isOffered) return;
    const left = new AbortController();
    offer.current = left;
    void (async () => {
      if (round > 0) await pause(Math.min(AGAIN_AFTER_MS * 2 ** (round - 1), AGAIN_AFTER_MS_MAX), left.signal);
      if (!(await canSuggest())) return;
      const token = await offerPasskeys(authsignal, left.signal).catch(() => null);
      if (token && !left.signal.aborted) chosen(token);
    })();
    return () => left.abort();
  }, [isOffered, authsignal, round]);

  return {
    isOffered,
    pending: signIn.isPending,
    error: signIn.error,
    press: () => {
      if (signIn.isPending) return;
      offer.current?.abort();
      signIn.mutate(null);
    },
  };
}
