import { useMutation } from "@tanstack/react-query";
import { isProblem } from "../api/problem";
import type { Attempt } from "../api/types";
import { useBrand } from "../brand";
import { Frame } from "../components/Frame";
import { ProblemNotice } from "../components/Notice";
import { QrCode } from "../components/QrCode";
import { Expiry } from "./Expiry";
import { PhoneLink } from "./Help";
import type { Proving } from "./model";
import { OtherWays } from "./OtherWays";
import classes from "./Proving.module.css";
import { Resend } from "./Resend";
import { useAwaited } from "./useAwaited";
import { NoNews } from "./WaitStep";

interface ScanStepProps {
  proving: Proving;
  qr: NonNullable<Attempt["qr"]>;
  onOther: (() => void) | undefined;
}

/** A code for the phone's camera. */
export function ScanStep({ proving, qr, onOther }: ScanStepProps) {
  const brand = useBrand();
  const failing = useAwaited(proving);
  const { challenge } = proving;
  const renew = useMutation({
    mutationFn: () => proving.send(challenge.method ?? "QR_CODE"),
    onError: (error) => isProblem(error) && proving.refused(error),
  });
  return (
    <Frame
      title="Scan with your phone"
      lead={`Open the ${brand.name} app on your phone and scan this code. Then approve there; this page goes on by itself.`}
      aside={<PhoneLink />}
    >
      <NoNews failing={failing} />
      {renew.error && !failing ? <ProblemNotice error={renew.error} /> : null}
      <QrCode content={qr.content} label="QR code to scan with the app on your phone" />
      <div className={classes.facts}>
        <span role="status">{renew.isSuccess ? "This is a new code." : "Waiting for your phone"}</span>
        <Expiry expiresAt={qr.expires_at} />
      </div>
      {challenge.resend_at ? (
        <Resend
          verb="Show"
          what="a new code"
          resendAt={challenge.resend_at}
          pending={renew.isPending}
          onPress={() => renew.mutate()}
        />
      ) : null}
      <OtherWays onPress={onOther} />
    </Frame>
  );
}
