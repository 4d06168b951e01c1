import { Button, VisuallyHidden } from "@mantine/core";
import { ActionButton } from "@look/ActionButton";
import { minutesAndSeconds } from "@look/clock";
import { useCoolDown } from "./useCoolDown";
import classes from "./Proving.module.css";

interface ResendProps {
  /** What is sent: "a new code". */
  what: string;
  verb?: "Send" | "Show";
  resendAt: string;
  pending: boolean;
  onPress: () => void;
}

/** Sends once more, when the time has come. */
export function Resend({ what, verb = "Send", resendAt, pending, onPress }: ResendProps) {
  const { seconds, said } = useCoolDown(resendAt, `You can ${verb.toLowerCase()} ${what} now.`);
  return (
    <>
      {seconds > 0 ? (
        // Not `disabled`: the focus would be lost, and a screen reader would pass over the reason.
        <Button
          className={`${classes.resend ?? ""} ${classes.waiting ?? ""}`}
          fullWidth
          variant="default"
          type="button"
          aria-disabled
        >
          {verb} {what} in {minutesAndSeconds(seconds)}
        </Button>
      ) : (
        <ActionButton
          className={classes.resend}
          fullWidth
          variant="default"
          type="button"
          pending={pending}
          pendingLabel={`${verb === "Show" ? "Making" : "Sending"} ${what}`}
          onClick={onPress}
        >
          {verb} {what}
        </ActionButton>
      )}
      <VisuallyHidden role="status">{said}</VisuallyHidden>
    </>
  );
}
