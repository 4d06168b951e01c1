import { useMutation } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { isProblem } from "../api/problem";
import { ActionButton } from "@look/ActionButton";
import { Frame } from "../components/Frame";
import { ProblemNotice } from "../components/Notice";
import { Waiting } from "../components/Waiting";
import type { Proving } from "./model";

/** It was approved elsewhere: only the last request is left, and that makes itself. */
export function CompleteStep({ proving }: { proving: Proving }) {
  const { mutate, error, isPending } = useMutation({
    mutationFn: () => proving.complete(null),
    onError: (failure) => isProblem(failure) && proving.refused(failure),
  });
  const begin = useEffectEvent(() => mutate());
  useEffect(() => begin(), []);
  return (
    <Frame title="Confirmed" lead="One moment.">
      {error ? (
        <>
          <ProblemNotice error={error} />
          <ActionButton fullWidth pending={isPending} pendingLabel="Trying again" onClick={() => mutate()}>
            Try again
          </ActionButton>
        </>
      ) : (
        <Waiting label="Signing you in" />
      )}
    </Frame>
  );
}
