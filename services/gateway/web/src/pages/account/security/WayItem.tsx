import { useState } from "react";
import type { Authenticator } from "../../../api/types";
import { Item, Line } from "../../../components/Rows";
import { RowButton } from "../../../components/TextButton";
import { TimeText } from "@look/TimeText";
import { IconTile } from "../../../components/Ways";
import { wordsOfMethod } from "../../../methods";
import { RemoveDialog } from "./RemoveDialog";
import { RenameDialog } from "./RenameDialog";
import classes from "./Security.module.css";

/** What its owner calls it, or else what it is. */
export function nameOf(way: Authenticator): string {
  return way.name ?? wordsOfMethod(way.method).title;
}

/** The maker's icon where there is one (passkeys tell), else our own for the method. */
function WayIcon({ way }: { way: Authenticator }) {
  const { icon_light: light, icon_dark: dark } = way;
  if (!light && !dark) return <IconTile Icon={wordsOfMethod(way.method).Icon} />;
  return (
    <span className={classes.maker}>
      <img className={classes.byDay} src={light ?? dark ?? ""} alt="" />
      <img className={classes.byNight} src={dark ?? light ?? ""} alt="" />
    </span>
  );
}

interface WayItemProps {
  way: Authenticator;
  onSaid: (words: string) => void;
}

/** One way to sign in, and what can be done to it. */
export function WayItem({ way, onSaid }: WayItemProps) {
  const [open, setOpen] = useState<"rename" | "remove" | null>(null);
  const name = nameOf(way);
  const { title } = wordsOfMethod(way.method);
  const about = [way.name && way.name !== title ? title : null, way.detail].filter(Boolean).join(" · ");
  const done = (words: string) => {
    setOpen(null);
    onSaid(words);
  };
  return (
    <Item
      icon={<WayIcon way={way} />}
      title={name}
      badge={way.is_default ? "Preferred" : undefined}
      actions={
        <>
          <RowButton aria-label={`Rename ${name}`} onClick={() => setOpen("rename")}>
            Rename
          </RowButton>
          <RowButton danger aria-label={`Remove ${name}`} onClick={() => setOpen("remove")}>
            Remove
          </RowButton>
        </>
      }
    >
      {about ? <Line>{about}</Line> : null}
      <Line>
        Added <TimeText time={way.created_at} brief />
        {way.last_used_at ? (
          <>
            {" · used "}
            <TimeText time={way.last_used_at} brief />
          </>
        ) : null}
      </Line>
      {open === "rename" ? <RenameDialog way={way} onClose={() => setOpen(null)} onDone={done} /> : null}
      {open === "remove" ? <RemoveDialog way={way} onClose={() => setOpen(null)} onDone={done} /> : null}
    </Item>
  );
}
