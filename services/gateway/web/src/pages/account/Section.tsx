import { Skeleton, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useId, type ReactNode } from "react";
import { ActionButton } from "@look/ActionButton";
import { ProblemNotice } from "../../components/Notice";
import { useSlow } from "@look/waiting";
import classes from "./Account.module.css";

interface SectionProps {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}

/** One part of an account page, under a heading of its own. */
export function Section({ title, lead, children }: SectionProps) {
  const id = useId();
  return (
    <section className={classes.section} aria-labelledby={id}>
      <Title order={2} id={id} className={classes.sectionTitle}>
        {title}
      </Title>
      {lead ? <p className={classes.sectionLead}>{lead}</p> : null}
      {children}
    </section>
  );
}

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  /** What is being loaded: "your profile". */
  what: string;
  children: (data: T) => ReactNode;
}

/** Draws what was loaded; until then a sketch of it, and on failure the reason and a way to try again. */
export function Loaded<T>({ query, what, children }: LoadedProps<T>) {
  const { data, error, isPending, isFetching, refetch } = query;
  const slow = useSlow(isPending);
  if (data !== undefined) return children(data);
  if (error) {
    return (
      <>
        <ProblemNotice error={error} />
        <ActionButton variant="default" pending={isFetching} pendingLabel="Trying again" onClick={() => void refetch()}>
          Try again
        </ActionButton>
      </>
    );
  }
  if (!slow) return null;
  return (
    <div role="status" aria-label={`Loading ${what}`}>
      <Skeleton height={18} mt="md" width="70%" />
      <Skeleton height={18} mt="lg" width="85%" />
      <Skeleton height={18} mt="lg" width="55%" />
    </div>
  );
}
