import { Button } from "@mantine/core";
import { Notice } from "@look/Notice";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { IconDownload } from "@tabler/icons-react";
import { useState, type SubmitEvent } from "react";
import { api } from "../api/client";
import { exportsQuery } from "../api/queries";
import { FORMATS, type Export, type Format } from "../api/types";
import { List } from "../components/List";
import { Panel, Panels } from "../components/Panel";
import { Table } from "../components/Table";
import { Trouble } from "../components/Trouble";
import { Line, View } from "../components/View";
import { Ago, RowTime } from "../components/When";
import { serviceUrl } from "../lib/base";
import { useFilters } from "../lib/filters";
import { useTicker } from "../lib/ticker";
import classes from "./Forms.module.css";
import { Archive, Streams } from "./Copies";
import { FilterBar } from "./search/FilterBar";
import { Spans } from "./search/Spans";

const FORMAT_WORDS: Record<Format, [name: string, words: string]> = {
  ndjson: ["NDJSON", "The entries, byte for byte, one a line. Proofs hold for these."],
  csv: ["CSV", "A table with a column for each field."],
  ocsf: ["OCSF 1.8", "For a SIEM: Open Cybersecurity Schema Framework."],
  parquet: ["Parquet", "For DuckDB, Athena and the like."],
};

function isFormat(text: string | null): text is Format {
  return FORMATS.some((format) => format === text);
}

/** Copies of the log, or of a part of it. Making one needs a fresh proof of who asks. */
export function Exports() {
  const made = useInfiniteQuery(exportsQuery);
  return (
    <View
      title="Exports"
      lead="A copy of what fits the filters. It needs a proof of the last five minutes, and is recorded under your name."
    >
      <Panels>
        <Panel title="New export">
          <NewExport />
        </Panel>
        <Panel title="Your exports" flush>
          <List query={made} what="exports" empty="None yet. A file can be fetched for ten minutes.">
            {(exports) => (
              <Table label="Your exports" heads={["Made", "Format", "Filters", "File"]}>
                {exports.map((one) => (
                  <Row key={one.id} made={one} />
                ))}
              </Table>
            )}
          </List>
        </Panel>
        <Streams />
        <Archive />
      </Panels>
    </View>
  );
}

function NewExport() {
  const filters = useFilters();
  const queries = useQueryClient();
  const given = filters.search.get("format");
  const format: Format = isFormat(given) ? given : "ndjson";
  const start = useMutation({
    mutationFn: () => api.startExport(format, filters.query),
    onSuccess: (made) => {
      void queries.invalidateQueries(exportsQuery);
      window.location.assign(serviceUrl(made.url));
    },
  });
  const [isAll, setAll] = useState(false);
  const isNarrow = filters.chips.length > 0 || filters.span !== null;

  function choose(next: Format) {
    const search = new URLSearchParams(filters.search);
    search.set("format", next);
    filters.change(search);
  }

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isNarrow || isAll) start.mutate();
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <fieldset className={classes.choices}>
        <legend>Format</legend>
        {FORMATS.map((one) => (
          <label key={one} className={classes.choice}>
            <input type="radio" name="format" value={one} checked={format === one} onChange={() => choose(one)} />
            <b>{FORMAT_WORDS[one][0]}</b>
            <span>{FORMAT_WORDS[one][1]}</span>
          </label>
        ))}
      </fieldset>
      <Line>
        <Spans value={filters.span} onChange={filters.setSpan} withAll />
      </Line>
      <FilterBar filters={filters} inForm />
      {isNarrow ? null : (
        <label>
          <input type="checkbox" checked={isAll} onChange={(event) => setAll(event.currentTarget.checked)} /> Everything
          that is in the log
        </label>
      )}
      <Line>
        <Button type="submit" size="sm" loading={start.isPending} disabled={!isNarrow && !isAll}>
          Export
        </Button>
      </Line>
      {start.data ? (
        <Notice tone="info" title="Your file is on its way">
          <p>It is among your exports for ten minutes.</p>
        </Notice>
      ) : null}
      <Trouble error={start.error} />
    </form>
  );
}

function Row({ made }: { made: Export }) {
  const now = useTicker();
  const isOver = Date.parse(made.expires_at) < now;
  return (
    <tr>
      <td>
        <RowTime time={made.created_at} />
      </td>
      <td>{FORMAT_WORDS[made.format][0]}</td>
      <td>
        <code>
          {Object.entries(made.params ?? {})
            .map(([name, value]) => `${name}=${String(value)}`)
            .join(" ") || (made.params ? "everything" : "")}
        </code>
      </td>
      <td>
        {isOver ? (
          <span className={classes.quiet}>
            Ended <Ago time={made.expires_at} />
          </span>
        ) : (
          <Button component="a" variant="default" href={serviceUrl(made.url)} leftSection={<IconDownload size={15} />}>
            Fetch
          </Button>
        )}
      </td>
    </tr>
  );
}
