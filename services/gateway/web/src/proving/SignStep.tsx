import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { isProblem } from "../api/problem";
import { ActionButton } from "@look/ActionButton";
import { Awaiting } from "../components/Awaiting";
import { Frame } from "../components/Frame";
import { SdkNotice } from "../components/Notice";
import type { SdkAccess } from "../lib/authsignal";
import { provePasskey, proveSecurityKey } from "../lib/keys";
import { wordsOfMethod } from "../methods";
import type { Proving } from "./model";
import { OtherWays } from "./OtherWays";

const LEADS: Record<string, string> = {
  PASSKEY: "Your browser asks for your fingerprint, your face or your screen lock. It may also offer your phone.",
  SECURITY_KEY: "Have it at hand. Your browser tells you when to touch it.",
};

interface SignStepProps {
  proving: Proving;
  access: SdkAccess | null;
  onOther: (() => void) | undefined;
}

/** The browser signs: with a passkey, or a security key. It starts at a press, never by itself. */
export function SignStep({ proving, access, onOther }: SignStepProps) {
  const method = proving.challenge.method ?? "PASSKEY";
  const { title, choice, Icon } = wordsOfMethod(method);
  // A signature counts once: if the gateway then stays silent, the token is kept for the next try.
  const earned = useRef<string | null>(null);
  const sign = useMutation({
    mutationFn: async (tenant: SdkAccess) => {
      const prove = method === "PASSKEY" ? provePasskey : proveSecurityKey;
      earned.current ??= await prove(tenant);
      await proving.complete(earned.current);
    },
    onError: (error) => {
      if (!isProblem(error) || !error.answered) return;
      earned.current = null;
      proving.refused(error);
    },
  });
  return (
    <Frame title={choice} lead={LEADS[method]}>
      {sign.error ? <SdkNotice error={sign.error} /> : null}
      {sign.isPending ? <Awaiting Icon={Icon} label="Follow what your browser says" /> : null}
      <ActionButton
        fullWidth
        pending={sign.isPending}
        pendingLabel="Waiting for your browser"
        onClick={() => access && sign.mutate(access)}
      >
        {sign.error ? "Try again" : `Continue with your ${title.toLowerCase()}`}
      </ActionButton>
      <OtherWays onPress={onOther} />
    </Frame>
  );
}
