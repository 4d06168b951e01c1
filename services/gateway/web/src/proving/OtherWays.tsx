import { TextButton } from "../components/TextButton";
import classes from "./Proving.module.css";

/** Leads to the other ways to prove who one is; nothing where there are none. */
export function OtherWays({ onPress }: { onPress: (() => void) | undefined }) {
  if (!onPress) return null;
  return (
    <p className={classes.other}>
      <TextButton onClick={onPress}>Try another way</TextButton>
    </p>
  );
}
