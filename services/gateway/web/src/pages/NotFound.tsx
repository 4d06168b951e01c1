import { Button } from "@mantine/core";
import { Link } from "react-router";
import { Page } from "../components/Page";

export function NotFound() {
  return (
    <Page title="This page does not exist" lead="The address may have a slip in it, or the page has moved.">
      <Button component={Link} to="/" fullWidth>
        Go to the start
      </Button>
    </Page>
  );
}
