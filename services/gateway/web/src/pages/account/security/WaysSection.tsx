import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { authenticatorsQuery } from "../../../api/queries";
import type { Session } from "../../../api/types";
import { Rows } from "../../../components/Rows";
import { Loaded, Section } from "../Section";
import { AddDialog } from "./add/AddDialog";
import classes from "./Security.module.css";
import { WayItem } from "./WayItem";

/** Every way to sign in to this account; add, rename, remove. */
export function WaysSection({ session }: { session: Session }) {
  const ways = useQuery(authenticatorsQuery);
  const queries = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [said, setSaid] = useState("");

  function say(words: string) {
    setSaid(words);
    void queries.invalidateQueries({ queryKey: ["activity"] });
  }

  return (
    <Section title="Ways to sign in" lead="Keep at least two, so that you still get in when you lose one.">
      <p role="status" className={classes.said}>
        {said}
      </p>
      <Loaded query={ways} what="your ways to sign in">
        {({ authenticators }) => (
          <>
            <Rows label="Ways to sign in">
              {authenticators.map((way) => (
                <WayItem key={way.id} way={way} onSaid={say} />
              ))}
            </Rows>
            <div className={classes.foot}>
              <Button
                variant="default"
                leftSection={<IconPlus size={18} stroke={1.8} aria-hidden="true" />}
                onClick={() => setAdding(true)}
              >
                Add a way to sign in
              </Button>
            </div>
            {adding ? (
              <AddDialog
                session={session}
                present={authenticators.map((way) => way.method)}
                onClose={() => setAdding(false)}
                onDone={(words) => {
                  setAdding(false);
                  say(words);
                }}
              />
            ) : null}
          </>
        )}
      </Loaded>
    </Section>
  );
}
