import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { api } from "../../api/client";
import { useIntent } from "../../api/intent";
import { isProblem } from "../../api/problem";
import { stepUpQuery } from "../../api/queries";
import type { StepUp } from "../../api/types";
import { ActionButton } from "@look/ActionButton";
import { RequireSession } from "../../components/Guards";
import { LoadFailed } from "../../components/LoadFailed";
import { Notice, ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { Waiting } from "../../components/Waiting";
import { device } from "../../lib/authsignal";
import { Declined } from "../../lib/confirmed";
import { useProve } from "../../proving/StepUpDialog";
import { Basket } from "./Basket";
import { amountOf, money, PAYEE, paymentOf, totalCents } from "./order";
import { Outcome } from "./Outcome";

/** What Authsignal's rules know a payment by. */
const ACTION = "authorizePayment";

/** What is being confirmed, word for word as the gateway has it. */
function About({ stepUp }: { stepUp: StepUp }) {
  return (
    <>
      You are paying <strong>{amountOf(stepUp.context)}</strong> to <strong>{String(stepUp.context.payee)}</strong>.
    </>
  );
}

/** Asks for the proof of a payment; the page behind follows what comes of it. */
function useConfirmPayment(): (stepUp: StepUp) => Promise<StepUp> {
  const prove = useProve();
  const queries = useQueryClient();
  return async (stepUp) => {
    if (stepUp.status !== "challenge_required") return stepUp;
    const decided = await prove(stepUp, <About stepUp={stepUp} />);
    queries.setQueryData(stepUpQuery(stepUp.id).queryKey, decided);
    return decided;
  };
}

/** The order, and the button that pays it. */
function Order({ onBegun }: { onBegun: (id: string) => void }) {
  const queries = useQueryClient();
  const intent = useIntent();
  const confirm = useConfirmPayment();
  const [quantity, setQuantity] = useState(1);
  const pay = useMutation({
    mutationFn: async () => {
      const body = { action: ACTION, context: paymentOf(quantity), ...device() };
      const begun = await intent(body, (key) => api.beginStepUp(body, key));
      queries.setQueryData(stepUpQuery(begun.id).queryKey, begun);
      return confirm(begun);
    },
    onSuccess: (stepUp) => onBegun(stepUp.id),
  });
  return (
    <Page title="Checkout" lead={`${PAYEE} is a demo shop: no money moves, and no parcel comes.`}>
      {pay.error instanceof Declined ? (
        <Notice tone="info" title="You did not confirm the payment">
          <p>Nothing was charged. Your order is still here.</p>
        </Notice>
      ) : null}
      {pay.error && !(pay.error instanceof Declined) ? <ProblemNotice error={pay.error} /> : null}
      <Basket quantity={quantity} onChange={setQuantity} />
      <ActionButton fullWidth pending={pay.isPending} pendingLabel="Paying" onClick={() => pay.mutate()}>
        Pay {money(totalCents(quantity) / 100)}
      </ActionButton>
    </Page>
  );
}

/** A payment that was begun: how it stands, also after a reload. */
function Payment({ id, onLeave }: { id: string; onLeave: () => void }) {
  const { data, error, refetch, isFetching } = useQuery(stepUpQuery(id));
  const confirm = useConfirmPayment();
  const resume = useMutation({ mutationFn: confirm });
  if (isProblem(error, "not_found")) return <Order onBegun={onLeave} />;
  if (data) {
    return (
      <Outcome stepUp={data} confirming={resume.isPending} onConfirm={() => resume.mutate(data)} onLeave={onLeave} />
    );
  }
  if (error) return <LoadFailed error={error} retry={() => void refetch()} retrying={isFetching} />;
  return <Waiting label="Finding your payment" />;
}

/** The demo shop's checkout: a payment that may need a proof, bound to its amount and payee. */
export function Checkout() {
  const [query, setQuery] = useSearchParams();
  const id = query.get("payment");
  return (
    <RequireSession>
      {() =>
        id ? (
          <Payment key={id} id={id} onLeave={() => setQuery({})} />
        ) : (
          <Order onBegun={(begun) => setQuery({ payment: begun })} />
        )
      }
    </RequireSession>
  );
}
