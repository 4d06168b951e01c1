import { VisuallyHidden } from "@mantine/core";
import { DEFAULT_BRAND } from "@look/theme";
import { Mark } from "@look/Mark";
import { SchemeToggle } from "@look/SchemeToggle";
import { Waiting } from "./Waiting";
import { useQuery } from "@tanstack/react-query";
import { IconKeyboard, IconMenu2, IconSearch } from "@tabler/icons-react";
import { Suspense, useEffect, useEffectEvent, useRef, useState, type SubmitEvent } from "react";
import { Link, NavLink, Outlet, useLocation, useNavigate } from "react-router";
import { brandQuery, isAuditor, sessionQuery } from "../api/gateway";
import { openAlertsQuery } from "../api/queries";
import { isProblem } from "../api/problem";
import { parseTyped, withChip } from "../lib/filters";
import { atLeast, minuteTime, zone } from "../lib/format";
import { useTicker } from "../lib/ticker";
import { usePoll } from "../lib/usePoll";
import { Failed } from "./Loaded";
import classes from "./Frame.module.css";
import { GROUPS } from "./navigation";
import { NotAnAuditor } from "./NotAnAuditor";
import { ShortcutHelp, useShortcuts } from "./Shortcuts";

/** What surrounds every view: where one can go, one field that finds things, and who is reading. */
export function Frame() {
  const field = useRef<HTMLInputElement>(null);
  const main = useRef<HTMLElement>(null);
  const [help, setHelp] = useState(false);
  const nav = useRef<HTMLElement>(null);
  const [isOpen, setOpen] = useState(false);
  useLeaving(nav, isOpen, () => setOpen(false));
  useShortcuts({ focusSearch: () => field.current?.focus(), help: () => setHelp(true) });

  return (
    <div className={classes.frame}>
      <button type="button" className={classes.skip} onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header className={classes.header}>
        <button
          type="button"
          className={classes.menu}
          aria-label="Menu"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <IconMenu2 size={20} stroke={1.8} aria-hidden="true" />
        </button>
        <Brand />
        <Finder field={field} />
        <button type="button" className={classes.help} aria-label="Keyboard shortcuts" onClick={() => setHelp(true)}>
          <IconKeyboard size={20} stroke={1.7} aria-hidden="true" />
        </button>
        <SchemeToggle />
      </header>
      <nav ref={nav} className={classes.nav} aria-label="Views" data-open={isOpen || undefined}>
        <Ways />
        <Reader />
      </nav>
      <main ref={main} tabIndex={-1} className={classes.main}>
        <Gate>
          <Suspense fallback={<Waiting label="Opening" />}>
            <Outlet />
          </Suspense>
        </Gate>
      </main>
      {help ? <ShortcutHelp onClose={() => setHelp(false)} /> : null}
    </div>
  );
}

/** Closes the drawer of a small screen: on Escape, on a press beside it, and on any of its links. */
function useLeaving(drawer: React.RefObject<HTMLElement | null>, isOpen: boolean, close: () => void): void {
  const pressed = useEffectEvent((event: Event) => {
    const target = event.target instanceof Element ? event.target : null;
    // The button of the menu opens and closes it itself.
    const isBeside = !drawer.current?.contains(target) && !target?.closest("[aria-expanded]");
    if (event instanceof KeyboardEvent ? event.key === "Escape" : isBeside || target?.closest("a")) close();
  });
  useEffect(() => {
    if (!isOpen) return;
    const listener = (event: Event) => pressed(event);
    document.addEventListener("click", listener);
    document.addEventListener("keydown", listener);
    return () => {
      document.removeEventListener("click", listener);
      document.removeEventListener("keydown", listener);
    };
  }, [isOpen]);
}

function Brand() {
  const { data: brand = DEFAULT_BRAND } = useQuery(brandQuery);
  return (
    <Link to="/" className={classes.brand} aria-label={`${brand.name} audit console: overview`}>
      {brand.logo_url ? <img className={classes.logo} src={brand.logo_url} alt="" /> : <Mark />}
      <span>
        {brand.name} <span className={classes.product}>audit</span>
      </span>
    </Link>
  );
}

/** The one field that finds things, from everywhere. Names before a colon become filters. */
function Finder({ field }: { field: React.RefObject<HTMLInputElement | null> }) {
  const navigate = useNavigate();
  const { pathname, search } = useLocation();

  function find(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = new FormData(event.currentTarget).get("find");
    const chips = parseTyped(typeof typed === "string" ? typed : "");
    const known = pathname === "/search" ? new URLSearchParams(search) : new URLSearchParams();
    void navigate(`/search?${chips.reduce(withChip, known).toString()}`);
    event.currentTarget.reset();
  }

  return (
    <form role="search" className={classes.finder} onSubmit={find}>
      <IconSearch size={17} stroke={1.8} aria-hidden="true" />
      <input
        ref={field}
        name="find"
        className={classes.input}
        aria-label="Find events"
        placeholder="Find: type:sign_in. outcome:failure 192.0.2.7"
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
      />
      <kbd className={classes.key} aria-hidden="true">
        /
      </kbd>
    </form>
  );
}

function Ways() {
  // For anybody else the service would write a refusal into the log, each time.
  const { data: session } = useQuery(sessionQuery);
  const { data, dataUpdatedAt, error } = useQuery({ ...openAlertsQuery, enabled: isAuditor(session) });
  usePoll(openAlertsQuery.queryKey, 30);
  const now = useTicker();
  const alerts = data?.alerts.length ?? 0;
  const age = error ? `not refreshed since ${minuteTime(dataUpdatedAt, now)}` : undefined;
  return GROUPS.map(({ name, ways }) => (
    <div key={name} className={classes.group}>
      <p className={classes.groupName}>{name}</p>
      <ul>
        {ways.map(({ to, title, Icon }) => (
          <li key={to}>
            <NavLink to={to} end={to === "/"} className={classes.way ?? ""}>
              <Icon size={18} stroke={1.7} aria-hidden="true" />
              {title}
              {to === "/alerts" && alerts > 0 ? (
                <span className={classes.count} title={age} data-stale={age === undefined ? undefined : true}>
                  {atLeast(alerts, data?.next_cursor)}
                  <VisuallyHidden> open{age ? `, ${age}` : null}</VisuallyHidden>
                </span>
              ) : null}
            </NavLink>
          </li>
        ))}
      </ul>
    </div>
  ));
}

function Reader() {
  const { data: session } = useQuery(sessionQuery);
  return (
    <div className={classes.reader}>
      {session ? <p title={session.subject.email}>{session.subject.email}</p> : null}
      <p>Times in {zone()}. What you read here is itself recorded.</p>
    </div>
  );
}

/**
 * Draws `children` for an auditor, once it is known who reads. The service decides; this only tells others so at once, on a page of
 * its own, and spares the log their refusals.
 */
function Gate({ children }: { children: React.ReactNode }) {
  const { data: session, error, refetch, isFetching } = useQuery(sessionQuery);
  if (error && (session === undefined || isProblem(error, "session_required", "session_expired")))
    return <Failed error={error} retry={() => void refetch()} retrying={isFetching} />;
  if (session === undefined) return <Waiting label="Looking who you are" />;
  if (session && !isAuditor(session)) return <NotAnAuditor email={session.subject.email} />;
  return children;
}
