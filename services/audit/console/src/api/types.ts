/** What the audit service sends and takes (docs/audit-log.md). Times are RFC 3339 in UTC. */

export const OUTCOMES = ["success", "failure", "denied", "error", "pending"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface AuditEvent {
  event_id: string;
  schema_version: number;
  event_type: string;
  outcome: Outcome;
  occurred_at: string;
  producer: { service: string; instance: string; seq: number };
  salt: string;
  reason?: string;
  request_id?: string;
  trace_id?: string;
  attempt_id?: string;
  session_ref?: string;
  subject?: { sub?: string; email_hash?: string };
  actor?: { kind: string; id: string };
  client?: { ip?: string; user_agent?: string; device_id?: string; country?: string };
  authsignal?: { action: string; idempotency_key?: string; state?: string; method?: string; rule_ids?: string[] };
  cognito?: { operation: string; error?: string };
  http?: { method: string; route: string; status?: number };
  data?: Record<string, unknown>;
}

/** One entry. Without `event` its bytes cannot be read: it was erased, or else it is damaged. Place and hash remain. */
export interface Entry {
  event: AuditEvent | null;
  erased?: boolean | null;
  event_id?: string | null;
  leaf_hash: string;
  recorded_at: string;
  leaf_index: number | null;
}

export interface Page {
  events: Entry[];
  next_cursor: string | null;
}

export const GROUPS = ["outcome", "event_type", "method", "service", "country"] as const;
export type Group = (typeof GROUPS)[number];
export type Bucket = "minute" | "hour" | "day";

export interface Stats {
  from: string;
  to: string;
  by: Bucket;
  group: Group;
  starts: string[];
  series: { key: string; counts: number[]; total: number }[];
  total: number;
}

export type TopField = "ip" | "subject" | "event_type" | "country" | "method" | "user_agent";

export interface Top {
  field: TopField;
  values: { value: string | null; count: number }[];
  total: number;
}

export interface Subject {
  sub: string;
  first_seen: string;
  last_seen: string;
  event_count: number;
  email_hashes: string[];
  sessions: {
    session_ref: string;
    first_seen: string;
    last_seen: string;
    ip: string | null;
    country: string | null;
    user_agent: string | null;
  }[];
  ips: { ip: string; country: string | null; count: number; last_seen: string }[];
  methods: { method: string; count: number }[];
  outcomes: Partial<Record<Outcome, number>>;
}

export interface SubjectRead {
  occurred_at: string;
  actor: { kind: string | null; id: string | null };
  route: string | null;
  rows: number | null;
}

/** A session or an attempt to sign in, with its first events, oldest first. */
export interface Story {
  id: string;
  first_seen: string;
  last_seen: string;
  outcome: Outcome | null;
  subject: { sub: string | null; email_hash: string | null } | null;
  client: { ip: string | null; country: string | null; user_agent: string | null; device_id: string | null } | null;
  event_count: number;
  events: Entry[];
  next_cursor: string | null;
}

export interface SavedSearch {
  id: string;
  name: string;
  params: Record<string, string | string[]>;
  is_shared: boolean;
  owner: string | { kind: string; id: string };
  created_at: string;
  updated_at: string;
}

export type SavedSearchInput = Pick<SavedSearch, "name" | "params" | "is_shared">;

export const FORMATS = ["ndjson", "csv", "ocsf", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

export interface Export {
  id: string;
  format: Format;
  /** Null once the file is gone. */
  params: Record<string, string | string[]> | null;
  created_at: string;
  expires_at: string;
  url: string;
}

export interface Stream {
  name: string;
  kind: string;
  target: string;
  format: string;
  is_required: boolean;
  /** Null before its first round. */
  next_leaf: number | null;
  lag_entries: number | null;
  delivered_at: string | null;
  failing_since: string | null;
  last_error: string | null;
}

export interface ArchivedDay {
  day: string;
  objects: number;
  entries: number;
  bytes: number;
  first_leaf: number;
  last_leaf: number;
  lock_until: string;
  sha256: string;
}

export interface Erasure {
  id: string;
  subject_ref: string;
  erased_entries: number;
  erased_keys: number;
  /** Null while the database's files may still hold what was removed from it. */
  compacted_at: string | null;
  created_at: string;
  by: string | { kind: string; id: string };
  reason: string;
}

export interface Hold {
  id: string;
  /** Null when the person was erased after the release. */
  subject: string | null;
  reason: string;
  created_at: string;
  created_by: string | { kind: string; id: string };
  released_at: string | null;
}

export type Severity = "low" | "medium" | "high" | "critical";

export interface Alert {
  id: string;
  rule: string;
  rule_version: number | string;
  severity: Severity;
  title: string;
  key: string | null;
  subject: string | null;
  ips: string[];
  first_leaf: number;
  last_leaf: number;
  first_seen: string;
  last_seen: string;
  event_ids: string[];
  event_count: number;
  state: "open" | "closed";
  closed_by: string | { kind: string; id: string } | null;
  closed_at: string | null;
  note: string | null;
  created_at: string;
}

export interface Rule {
  id: string;
  version: number | string;
  title: string;
  description: string;
  severity: Severity;
  parameters: Record<string, unknown>;
}

/** A stretch of the log that was looked at; `to_leaf` is exclusive. */
export interface Run {
  id: string;
  kind: string;
  from_leaf: number;
  to_leaf: number;
  entries: number;
  alerts: number;
  new_alerts: number;
  rules: string[];
  started_at: string;
  finished_at: string;
  by: string;
}

export interface Detections {
  rules: Rule[];
  runs: Run[];
}

export interface Replay {
  from_leaf: number;
  to_leaf: number;
  new_alerts: number;
  alerts: Alert[];
}

/** One record without its other half. */
export interface Sighting {
  source: string;
  kind: string;
  occurred_at: string;
  ref: string;
  subject: string | null;
  ip: string | null;
}

export interface ReconciledSource {
  /** False when the provider sent nothing for this time: then nothing is compared. */
  has_records: boolean;
  matched: number;
  only_ours: number;
  only_theirs: number;
  pending: number;
}

export interface Reconciliation {
  from: string;
  to: string;
  sources: Record<string, ReconciledSource>;
  matched: number;
  only_ours: Sighting[];
  only_theirs: Sighting[];
}

export interface Quarantined {
  id: string | number;
  reason: string;
  detail: string | null;
  received_at: string;
  message_id: string | null;
  line_no: number | null;
  sha256: string | null;
  text: string | null;
  bytes_base64?: string | null;
  instance: string | null;
  seq: number | null;
  repaired_as: string | null;
}

export interface Gap {
  first_seq: number;
  last_seq: number;
  count: number;
  noticed_at: string;
  next_event_id: string;
  quarantine_id?: number;
  reason?: string;
}

export interface ProducerReport {
  service: string;
  instance: string;
  status: "running" | "stopped" | "unfinished";
  entries: number;
  last_seq: number;
  missing: number;
  repeated: number;
  first_recorded_at: string;
  last_recorded_at: string;
  open_gaps: Gap[];
  explained_gaps: Gap[];
}

export interface Completeness {
  checked_at: string;
  complete: boolean;
  missing: number;
  sealed: { tree_size: number; sealed_at: string; oldest_unsealed_at: string | null } | null;
  producers: ProducerReport[];
}
