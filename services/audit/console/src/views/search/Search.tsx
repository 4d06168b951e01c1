import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconBookmarkPlus, IconBroadcast, IconEyeOff, IconFileExport, IconRefresh } from "@tabler/icons-react";
import { useEffect, useEffectEvent, useMemo, useState } from "react";
import { Link } from "react-router";
import { idOf, type Query } from "../../api/client";
import { isMissing, isProblem } from "../../api/problem";
import { refreshSearch, searchQuery, statsQuery } from "../../api/queries";
import type { Bucket, Stats } from "../../api/types";
import { Volume } from "../../charts/Volume";
import { EventRows } from "../../components/EventRows";
import { Empty, Loaded } from "../../components/Loaded";
import { NextPage, type Pages } from "../../components/List";
import { Panel } from "../../components/Panel";
import { isShortcut } from "../../components/Shortcuts";
import { View } from "../../components/View";
import { leavesReadsOut, useFilters, withReadsToggled, type Filters } from "../../lib/filters";
import { count, minuteTime } from "../../lib/format";
import { useTail, type Tail } from "../../lib/useTail";
import { FilterBar } from "./FilterBar";
import { SaveDialog } from "./SaveDialog";
import classes from "./Search.module.css";
import { Spans } from "./Spans";

/** Everything that fits the filters, newest first; with the live tail on, also what arrives while one looks. */
export function Search() {
  const filters = useFilters();
  const [saving, setSaving] = useState(false);
  const results = useInfiniteQuery(searchQuery(filters.query));
  const isLive = filters.search.get("live") === "1";
  const queries = useQueryClient();
  const refresh = () => void refreshSearch(queries, filters.query);
  const tail = useTail(filters.query, isLive, refresh);
  const pages = results.data?.pages;
  const fresh = useMemo(() => new Set(tail.entries.map(idOf)), [tail.entries]);
  const older = useMemo(
    () => pages?.flatMap(({ events }) => events).filter((entry) => !fresh.has(idOf(entry))) ?? [],
    [pages, fresh],
  );
  const shown = tail.entries.length + older.length;
  const lookAgain = () => {
    tail.forget();
    filters.again();
    refresh();
  };
  useLiveKey(filters, isLive);

  return (
    <View
      title="Search"
      actions={
        <>
          <Spans value={filters.span} onChange={filters.setSpan} withAll />
          <LiveButton filters={filters} isLive={isLive} tail={tail} />
        </>
      }
    >
      <FilterBar filters={filters} />
      <Over filters={filters} />
      <Panel
        title={isLive ? "Events, as they arrive" : "Events"}
        flush
        aside={
          <span className={classes.tools}>
            <ReadsButton filters={filters} />
            <Button variant="subtle" leftSection={<IconRefresh size={15} />} onClick={lookAgain}>
              Look again
            </Button>
            <Button
              variant="subtle"
              leftSection={<IconBookmarkPlus size={15} />}
              disabled={filters.chips.length === 0}
              onClick={() => setSaving(true)}
            >
              Save
            </Button>
            <Button
              variant="subtle"
              leftSection={<IconFileExport size={15} />}
              component={Link}
              to={`/exports?${filters.search.toString()}`}
            >
              Export
            </Button>
          </span>
        }
      >
        <div role="status">
          {tail.notice ? <p className={classes.notice}>{tail.notice}</p> : null}
          {tail.state === "lost" ? (
            <p className={classes.notice}>The live tail was closed. Switch it on again.</p>
          ) : null}
        </div>
        <Loaded query={results} what="events" isEmpty={() => shown === 0} empty={<Nothing filters={filters} />}>
          {() =>
            tail.dropped > 0 ? (
              <>
                <EventRows label="Events that arrived" entries={tail.entries} fresh={fresh} />
                <p className={classes.hole}>
                  {count(tail.dropped)} more arrived here.{" "}
                  <Button variant="subtle" onClick={lookAgain}>
                    Look again
                  </Button>
                </p>
                <EventRows label="Events" entries={older} />
              </>
            ) : (
              <EventRows label="Events" entries={[...tail.entries, ...older]} fresh={fresh} />
            )
          }
        </Loaded>
        <More results={results} shown={shown} />
      </Panel>
      {saving ? <SaveDialog filters={filters} onClose={() => setSaving(false)} /> : null}
    </View>
  );
}

function toggleLive({ search, change }: Filters, isLive: boolean): void {
  const next = new URLSearchParams(search);
  if (isLive) next.delete("live");
  else next.set("live", "1");
  change(next);
}

/** `t` switches the tail, wherever nobody types. */
function useLiveKey(filters: Filters, isLive: boolean): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === "t" && isShortcut(event)) toggleLive(filters, isLive);
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => pressed(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}

function LiveButton({ filters, isLive, tail }: { filters: Filters; isLive: boolean; tail: Tail }) {
  const words = tail.state === "live" ? "Live" : tail.state === "connecting" ? "Connecting" : "Live tail";
  return (
    <Button
      variant={isLive ? "filled" : "default"}
      aria-pressed={isLive}
      leftSection={<IconBroadcast size={16} className={tail.state === "live" ? classes.pulse : undefined} />}
      onClick={() => toggleLive(filters, isLive)}
    >
      {words}
    </Button>
  );
}

/** Who watches the log fills it: one click leaves the reads out, or takes them back in. */
function ReadsButton({ filters: { search, change } }: { filters: Filters }) {
  const areOut = leavesReadsOut(search);
  return (
    <Button
      variant={areOut ? "light" : "subtle"}
      aria-pressed={areOut}
      leftSection={<IconEyeOff size={15} />}
      onClick={() => change(withReadsToggled(search))}
    >
      Hide reads
    </Button>
  );
}

const HOUR = 3_600_000;

function bucketOf({ from, to }: Query): Bucket {
  const start = typeof from === "string" ? Date.parse(from) : Date.now() - 30 * 24 * HOUR;
  const end = typeof to === "string" ? Date.parse(to) : Date.now();
  if (end - start <= 3 * HOUR) return "minute";
  return end - start <= 8 * 24 * HOUR ? "hour" : "day";
}

/** The same events over time, where the service can count them. */
function Over({ filters }: { filters: Filters }) {
  const query = useQuery(statsQuery({ ...filters.query, by: bucketOf(filters.query), group: "outcome" }));
  if (isMissing(query.error) || (query.error && isProblem(query.error, "invalid_request"))) return null;
  return (
    <Panel
      title="Over time"
      aside={query.data && !query.isPlaceholderData ? counted(query.data, filters.query) : undefined}
    >
      <Loaded query={query} what="statistics" isEmpty={({ total }) => total === 0} empty="Nothing to count.">
        {(stats) => (
          <Volume
            stats={stats}
            onPick={(from, to) => filters.add({ field: "from", value: from }, { field: "to", value: to })}
          />
        )}
      </Loaded>
    </Panel>
  );
}

/** "1,204 events since 2 Jan 09:14": a search without a span is counted over the last 30 days alone. */
function counted({ total, from, to }: Stats, asked: Query): string {
  const now = Date.now();
  const until = asked.to === undefined ? "" : ` until ${minuteTime(to, now)}`;
  return `${count(total)} events since ${minuteTime(from, now)}${until}`;
}

function Nothing({ filters }: { filters: Filters }) {
  const isNarrow = filters.chips.length > 0 || filters.span !== null;
  return (
    <>
      <p>Nothing fits.</p>
      {isNarrow ? (
        <Button variant="default" onClick={() => filters.change(new URLSearchParams())}>
          Look through everything
        </Button>
      ) : null}
    </>
  );
}

interface MoreProps {
  results: Pages & { data: unknown; isPlaceholderData: boolean };
  shown: number;
}

/** What lies behind the rows: fetched as one comes near, unless that failed before. */
function More({ results, shown }: MoreProps) {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = results;
  const [end, setEnd] = useState<HTMLElement | null>(null);
  const next = useEffectEvent(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  });

  useEffect(() => {
    if (!end) return;
    const observer = new IntersectionObserver((seen) => {
      if (seen.some(({ isIntersecting }) => isIntersecting)) next();
    });
    observer.observe(end);
    return () => observer.disconnect();
  }, [end]);

  if (results.data === undefined || results.isPlaceholderData || shown === 0) return null;
  return (
    <div ref={setEnd} className={classes.more}>
      {hasNextPage ? (
        <NextPage pages={results}>Older events</NextPage>
      ) : (
        <Empty>{count(shown)} shown. There are no older ones.</Empty>
      )}
    </div>
  );
}
