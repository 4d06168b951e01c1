import { RequireSession } from "../../../components/Guards";
import { AccountFrame } from "../AccountFrame";
import { ActivitySection } from "./Activity";
import { SessionsSection } from "./Sessions";
import { WaysSection } from "./WaysSection";

/** How one signs in, where one is signed in, and what happened lately. */
export function Security() {
  return (
    <RequireSession>
      {(session) => (
        <AccountFrame session={session} title="Security">
          <WaysSection session={session} />
          <SessionsSection />
          <ActivitySection />
        </AccountFrame>
      )}
    </RequireSession>
  );
}
