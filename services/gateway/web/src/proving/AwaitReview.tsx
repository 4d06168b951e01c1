import { IconEye } from "@tabler/icons-react";
import { Awaiting } from "../components/Awaiting";
import type { Proving } from "./model";
import { useAwaited } from "./useAwaited";
import { NoNews } from "./WaitStep";

/** Somebody is looking at it: what comes of that is drawn as soon as it is known, without a reload. */
export function AwaitReview({ proving }: { proving: Proving }) {
  const failing = useAwaited(proving);
  return (
    <>
      <NoNews failing={failing} />
      <Awaiting Icon={IconEye} label="Waiting for the decision" />
    </>
  );
}
