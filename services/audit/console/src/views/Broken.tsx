import { Button } from "@mantine/core";
import { Link } from "react-router";
import { View } from "../components/View";

/** A fault of ours, not of the log's. */
export function Broken() {
  return (
    <View title="This view broke" lead="That is a fault of the console. Nothing in the log is touched by it.">
      <div>
        <Button onClick={() => window.location.reload()}>Load it again</Button>
      </div>
    </View>
  );
}

export function NoSuchView() {
  return (
    <View title="There is no such view" lead="The address may be mistyped, or from another release of the console.">
      <p>
        <Link to="/">Go to the overview</Link>
      </p>
    </View>
  );
}
