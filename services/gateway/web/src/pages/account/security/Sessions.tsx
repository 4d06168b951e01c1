import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconDeviceLaptop, IconDeviceMobile, type Icon } from "@tabler/icons-react";
import { useState } from "react";
import { api } from "../../../api/client";
import { useIntent } from "../../../api/intent";
import { isProblem } from "../../../api/problem";
import { sessionsQuery } from "../../../api/queries";
import type { SessionItem } from "../../../api/types";
import { ActionButton } from "@look/ActionButton";
import { Dialog, DialogBody } from "@look/Dialog";
import { ProblemNotice } from "../../../components/Notice";
import { Item, Line, Rows } from "../../../components/Rows";
import { RowButton } from "../../../components/TextButton";
import { TimeText } from "@look/TimeText";
import { IconTile } from "../../../components/Ways";
import { countryName } from "../../../lib/country";
import { phrasesOf } from "../../../methods";
import { useLeave } from "../AccountFrame";
import { Loaded, Section } from "../Section";
import classes from "./Security.module.css";

function iconOf(device: string): Icon {
  return /iPhone|iPad|Android/.test(device) ? IconDeviceMobile : IconDeviceLaptop;
}

interface SessionRowProps {
  session: SessionItem;
  onEnd: () => void;
}

function SessionRow({ session, onEnd }: SessionRowProps) {
  const place = [session.ip, session.country ? countryName(session.country) : null].filter(Boolean).join(" · ");
  return (
    <Item
      icon={<IconTile Icon={iconOf(session.device)} />}
      title={session.device}
      badge={session.is_current ? "This device" : undefined}
      actions={
        session.is_current ? null : (
          <RowButton danger aria-label={`Sign out ${session.device}`} onClick={onEnd}>
            Sign out
          </RowButton>
        )
      }
    >
      {place ? <Line>{place}</Line> : null}
      <Line>
        Signed in <TimeText time={session.created_at} brief /> with {phrasesOf(session.methods)} · last seen{" "}
        <TimeText time={session.last_seen_at} brief />
      </Line>
    </Item>
  );
}

/** Asks once more: it ends the work on every device, this one too. */
function EverywhereDialog({ onClose }: { onClose: () => void }) {
  const intent = useIntent();
  const leave = useLeave();
  const end = useMutation({
    mutationFn: () =>
      intent({}, api.endAllSessions).catch((error: unknown) => {
        if (!isProblem(error, "session_required", "session_expired")) throw error;
      }),
    onSuccess: () => leave("signed_out_everywhere"),
  });
  return (
    <Dialog onClose={onClose} isLight>
      <DialogBody title="Sign out everywhere?" lead="On every device, this one too. To go on, you sign in again.">
        {end.error ? <ProblemNotice error={end.error} /> : null}
        <div className={classes.choices}>
          <ActionButton
            className={classes.remove}
            pending={end.isPending}
            pendingLabel="Signing out"
            onClick={() => end.mutate()}
          >
            Sign out everywhere
          </ActionButton>
          <Button variant="default" onClick={onClose}>
            Stay signed in
          </Button>
        </div>
      </DialogBody>
    </Dialog>
  );
}

/** Where one is signed in. */
export function SessionsSection() {
  const sessions = useQuery(sessionsQuery);
  const queries = useQueryClient();
  const intent = useIntent();
  const [leaving, setLeaving] = useState(false);
  const end = useMutation({
    mutationFn: ({ id }: SessionItem) => intent({ id }, (key) => api.endSession(id, key)),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: sessionsQuery.queryKey });
      void queries.invalidateQueries({ queryKey: ["activity"] });
    },
  });
  return (
    <Section title="Where you are signed in" lead="Something here that you do not know? Sign it out.">
      {end.error && !isProblem(end.error, "not_found") ? <ProblemNotice error={end.error} /> : null}
      <p role="status" className={classes.said}>
        {end.isSuccess ? `${end.variables.device} is signed out.` : ""}
      </p>
      <Loaded query={sessions} what="your sessions">
        {(data) => (
          <>
            <Rows label="Sessions">
              {data.sessions.map((session) => (
                <SessionRow key={session.id} session={session} onEnd={() => !end.isPending && end.mutate(session)} />
              ))}
            </Rows>
            <div className={classes.foot}>
              <Button variant="default" onClick={() => setLeaving(true)}>
                Sign out everywhere
              </Button>
            </div>
          </>
        )}
      </Loaded>
      {leaving ? <EverywhereDialog onClose={() => setLeaving(false)} /> : null}
    </Section>
  );
}
