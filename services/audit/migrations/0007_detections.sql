-- Alerts, what became of them, and the work of finding them.
--
-- alerts               what a rule found. INSERT only: its id is made of what was found, so finding it again adds nothing.
-- alert_people         whom and which addresses an alert names: apart, so that erasing a person can take it away.
-- alert_states         opened again, closed, by whom and why. INSERT only; no row means open.
-- alert_deliveries     which alert reached which channel. INSERT only.
-- detection_cursors    how far a follower of the log has come, and what its present hour held so far.
-- detection_runs       which stretch of the log was looked at, when, with which rules. INSERT only.
-- quarantine_repairs   which entry stands for a line in quarantine that somebody repaired. INSERT only.
--
-- All are the clerk's. None is part of the log, and none can change it.

CREATE TABLE audit.alerts (
    alert_id uuid PRIMARY KEY,
    alert_no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    rule text COLLATE "C" NOT NULL,
    rule_version integer NOT NULL,
    severity text COLLATE "C" NOT NULL
        CONSTRAINT severity_is_known CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    title text NOT NULL,
    first_leaf bigint NOT NULL,
    last_leaf bigint NOT NULL CONSTRAINT leaves_are_in_order CHECK (first_leaf <= last_leaf),
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    event_ids uuid[] NOT NULL,
    event_count integer NOT NULL CONSTRAINT something_stands_behind_it CHECK (event_count >= 1),
    data jsonb NOT NULL,
    -- Found by going over the past again: shown, but nobody is called out of bed for it.
    is_replayed boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX alerts_by_time ON audit.alerts (last_seen);

CREATE TABLE audit.alert_people (
    alert_id uuid PRIMARY KEY REFERENCES audit.alerts (alert_id),
    key text NOT NULL,
    subject text COLLATE "C",
    ips text[] NOT NULL
);

CREATE INDEX alert_people_by_subject ON audit.alert_people (subject) WHERE subject IS NOT NULL;

CREATE TABLE audit.alert_states (
    state_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES audit.alerts (alert_id),
    state text NOT NULL CONSTRAINT state_is_known CHECK (state IN ('open', 'closed')),
    note text NOT NULL,
    by_kind text NOT NULL,
    by_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX alert_states_by_alert ON audit.alert_states (alert_id, state_no);

CREATE TABLE audit.alert_deliveries (
    alert_id uuid NOT NULL REFERENCES audit.alerts (alert_id),
    channel text NOT NULL,
    delivered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (alert_id, channel)
);

CREATE TABLE audit.detection_cursors (
    name text PRIMARY KEY,
    next_index bigint NOT NULL,
    run_from bigint NOT NULL,
    run_entries bigint NOT NULL DEFAULT 0,
    run_alerts bigint NOT NULL DEFAULT 0,
    run_started_at timestamptz NOT NULL DEFAULT now()
);

-- A log that was there before its detections: they begin with what comes. `countersign audit detections replay` does the past.
INSERT INTO audit.detection_cursors (name, next_index, run_from)
SELECT name, start, start FROM (SELECT coalesce(max(tree_size), 0) AS start FROM audit.seals) AS log,
    unnest(ARRAY['rules', 'bypass']) AS name;

CREATE TABLE audit.detection_runs (
    run_id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('live', 'replay')),
    from_leaf bigint NOT NULL,
    to_leaf bigint NOT NULL,
    entries bigint NOT NULL,
    alerts bigint NOT NULL,
    new_alerts bigint NOT NULL,
    rules text[] NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL,
    by_id text NOT NULL
);

CREATE INDEX detection_runs_by_time ON audit.detection_runs (finished_at);

CREATE TABLE audit.quarantine_repairs (
    -- Of audit.quarantine. Tied by no foreign key: evidence is not to depend on what is made around it.
    quarantine_id bigint PRIMARY KEY,
    event_id uuid NOT NULL,
    leaf_hash bytea NOT NULL CONSTRAINT leaf_hash_is_sha256 CHECK (octet_length(leaf_hash) = 32),
    by_kind text NOT NULL,
    by_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.alerts FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.alert_states FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.alert_deliveries
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.detection_runs
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.quarantine_repairs
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE ON audit.alert_people FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.alerts FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.alert_states FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.detection_runs FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.quarantine_repairs
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

GRANT SELECT, INSERT ON audit.alerts, audit.alert_states, audit.alert_deliveries, audit.detection_runs,
    audit.quarantine_repairs TO countersign_clerk;
-- DELETE: what names a person goes with that person's data.
GRANT SELECT, INSERT, DELETE ON audit.alert_people TO countersign_clerk;
GRANT SELECT, UPDATE ON audit.detection_cursors TO countersign_clerk;
GRANT SELECT ON audit.alerts, audit.alert_people, audit.alert_states, audit.alert_deliveries, audit.detection_cursors,
    audit.detection_runs, audit.quarantine_repairs TO countersign_reader;
