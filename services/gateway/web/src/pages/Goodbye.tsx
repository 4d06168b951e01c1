import { Button } from "@mantine/core";
import { Link } from "react-router";
import { Page } from "../components/Page";

/** Where one is when the account is gone. */
export function Goodbye() {
  return (
    <Page
      title="Your account is deleted"
      lead="You are signed out everywhere, and your ways to sign in are removed. We sent you a mail about it. Goodbye."
    >
      <Button component={Link} to="/sign-up" variant="default" fullWidth>
        Create a new account
      </Button>
    </Page>
  );
}
