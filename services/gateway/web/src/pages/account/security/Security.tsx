import { RequireSession } from "../../../components/Guards";
import { AccountFrame } from "../AccountFrame";
import { ActivitySection } from "./Activity";
import { DeleteSection } from "./DeleteAccount";
import { SessionsSection } from "./Sessions";
import { WaysSection } from "./WaysSection";

/** How one signs in, where one is signed in, what happened lately, and the way out for good. */
export function Security() {
  return (
    <RequireSession>
      {(session) => (
        <AccountFrame session={session} title="Security">
          <WaysSection session={session} />
          <SessionsSection />
          <ActivitySection />
          <DeleteSection subject={session.subject} />
        </AccountFrame>
      )}
    </RequireSession>
  );
}
