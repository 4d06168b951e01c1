import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { AUDITORS } from "../api/gateway";
import { BASE } from "../lib/base";
import classes from "./NotAnAuditor.module.css";
import { View } from "./View";

/** For somebody who is signed in and may not read the log. */
export function NotAnAuditor({ email }: { email: string }) {
  return (
    <div className={classes.page}>
      <IconLock size={28} stroke={1.6} aria-hidden="true" />
      <View title="The audit log is for auditors">
        <p>
          You are signed in as <b>{email}</b>, and that account is not in the group <code>{AUDITORS}</code>.
        </p>
        <p>Ask your administrator to add you, then sign in again. Nothing was shown, and no data left the log.</p>
        <div>
          <Button component="a" href={new URL("../account", BASE).href} variant="default">
            Go to your account
          </Button>
        </div>
      </View>
    </div>
  );
}
