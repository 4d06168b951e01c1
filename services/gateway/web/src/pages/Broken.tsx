import { Button } from "@mantine/core";
import { useEffect } from "react";
import { useRouteError } from "react-router";
import { Page } from "../components/Page";
import { Shell } from "../components/Shell";

/** Stands in for a page that failed to draw. What went wrong goes to the console, for whoever mends it. */
export function Broken() {
  const error = useRouteError();
  useEffect(() => console.error(error), [error]);
  return (
    <Shell>
      <Page
        title="Something broke on this page"
        lead="It is our fault, not yours. Reload the page to go on where you were."
      >
        <Button fullWidth onClick={() => window.location.reload()}>
          Reload the page
        </Button>
      </Page>
    </Shell>
  );
}
