import { useState } from "react";
import { useSearchParams } from "react-router";
import { useConfig } from "../brand";
import { Chooser, hasOtherWays } from "./Chooser";
import { CompleteStep } from "./CompleteStep";
import { stepOf, type Proving } from "./model";
import { ProxiedCode } from "./ProxiedCode";
import { ScanStep } from "./ScanStep";
import { SdkCode } from "./SdkCode";
import { SignStep } from "./SignStep";
import { WaitStep } from "./WaitStep";

/** Whether this code is to be sent and checked between the browser and Authsignal alone. */
function useViaSdk({ challenge, purpose }: Proving): boolean {
  const config = useConfig();
  const [query] = useSearchParams();
  const isAsked = query.get("via") === "sdk" && purpose !== "step_up" && challenge.method === "EMAIL_OTP";
  return isAsked && config.features.sdk_sign_in;
}

/** Draws the step that the gateway says comes next, or the choice between the ways. */
export function Steps({ proving }: { proving: Proving }) {
  const [choosing, setChoosing] = useState(false);
  const viaSdk = useViaSdk(proving);
  const { challenge } = proving;
  const step = stepOf(challenge);
  const onOther = hasOtherWays(challenge) ? () => setChoosing(true) : undefined;

  if (step === "complete") return <CompleteStep proving={proving} />;
  if (step === "choose" || choosing) return <Chooser proving={proving} onDone={() => setChoosing(false)} />;
  // A new key for a new way: what one step has typed, tried or been told is not the next one's.
  const key = challenge.method;
  if (step === "sign") return <SignStep key={key} proving={proving} access={challenge.sdk} onOther={onOther} />;
  if (challenge.qr && step === "scan")
    return <ScanStep key={key} proving={proving} qr={challenge.qr} onOther={onOther} />;
  if (step === "wait") return <WaitStep key={key} proving={proving} onOther={onOther} />;
  if (viaSdk && challenge.sdk) return <SdkCode proving={proving} access={challenge.sdk} />;
  return <ProxiedCode key={key} proving={proving} onOther={onOther} />;
}
