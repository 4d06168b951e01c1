import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../../api/client";
import { useIntent } from "../../api/intent";
import { attemptQuery } from "../../api/queries";
import type { Attempt } from "../../api/types";
import { ActionButton } from "../../components/ActionButton";
import formClasses from "../../components/Form.module.css";
import { Notice, ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { methodName } from "../../words";

/** Methods that this page can draw. */
const DRAWN = ["EMAIL_OTP"];

/** For an attempt with nothing sent yet: choose how to prove it. */
export function FirstSend({ attempt }: { attempt: Attempt }) {
  const queries = useQueryClient();
  const intent = useIntent();
  const send = useMutation({
    mutationFn: (method: string) => intent({ method }, (key) => api.challenge(attempt.id, method, key)),
    onSuccess: (next) => queries.setQueryData(attemptQuery(attempt.id).queryKey, next),
  });
  const methods = attempt.methods.filter((method) => DRAWN.includes(method));
  return (
    <Page title="Show that it is you" lead="Choose how.">
      {send.error ? <ProblemNotice error={send.error} /> : null}
      {methods.length === 0 ? (
        <Notice tone="warn" title="This page cannot ask for your proof">
          <p>Reload the page. If that does not help, sign in from another app or device.</p>
        </Notice>
      ) : null}
      <div className={formClasses.form}>
        {methods.map((method) => (
          <ActionButton
            key={method}
            fullWidth
            pending={send.isPending}
            pendingLabel="Sending"
            onClick={() => send.mutate(method)}
          >
            Send {methodName(method)}
          </ActionButton>
        ))}
      </div>
    </Page>
  );
}
