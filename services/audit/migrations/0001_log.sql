-- The log and what can be searched in it.
--
-- entries        the evidence: the exact bytes that a producer wrote, and their leaf hash. INSERT only, for ever.
-- entry_search   what was read out of those bytes when they arrived. Derived: it can be dropped and rebuilt from entries.
-- quarantine     lines from the queue that could not become entries, kept as evidence.
--
-- The two halves are apart so that evidence never has to change: a new filter is a new column of entry_search; a place in the
-- Merkle tree is a row in a table of its own; to erase a person is to destroy the key under which entries.entry is kept and
-- to remove rows of entry_search. Scans for statistics read the narrow half only.
--
-- Both are partitioned by event_id. It is a UUIDv7, so a range of ids is a range of time (a month drops as one table), and
-- because it is the partition key it can be unique over all partitions.

CREATE TABLE audit.entries (
    event_id uuid NOT NULL,
    entry bytea NOT NULL CONSTRAINT entry_has_bytes CHECK (octet_length(entry) > 0),
    leaf_hash bytea NOT NULL CONSTRAINT leaf_hash_is_sha256 CHECK (octet_length(leaf_hash) = 32),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (event_id)
) PARTITION BY RANGE (event_id);

CREATE TABLE audit.entry_search (
    event_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL
        CONSTRAINT outcome_is_known CHECK (outcome IN ('success', 'failure', 'denied', 'error', 'pending')),
    service text COLLATE "C" NOT NULL,
    instance uuid NOT NULL,
    seq bigint NOT NULL CONSTRAINT seq_counts_from_zero CHECK (seq >= 0),
    request_id text COLLATE "C",
    attempt_id text COLLATE "C",
    session_ref text COLLATE "C",
    subject_sub text COLLATE "C",
    email_hash bytea CONSTRAINT email_hash_is_sha256 CHECK (octet_length(email_hash) = 32),
    ip inet,
    method text COLLATE "C",
    state text COLLATE "C",
    words text COLLATE "C" NOT NULL,
    PRIMARY KEY (event_id)
) PARTITION BY RANGE (event_id);

COMMENT ON COLUMN audit.entry_search.seq IS
    'Number within the producer''s process. Not unique on purpose: two events with one number are evidence of a fault, keep both.';
COMMENT ON COLUMN audit.entry_search.words IS 'Lower-case text that free-text search looks through.';

-- The order of arrival: readers that follow the log, and the sequencer, walk this.
CREATE INDEX entries_by_arrival ON audit.entries (recorded_xid, event_id);

CREATE INDEX entry_search_by_time ON audit.entry_search (occurred_at, event_id);
CREATE INDEX entry_search_by_type ON audit.entry_search (event_type, occurred_at, event_id);
CREATE INDEX entry_search_by_subject ON audit.entry_search (subject_sub, occurred_at, event_id) WHERE subject_sub IS NOT NULL;
CREATE INDEX entry_search_by_email ON audit.entry_search (email_hash, occurred_at, event_id) WHERE email_hash IS NOT NULL;
CREATE INDEX entry_search_by_ip ON audit.entry_search (ip, occurred_at, event_id) WHERE ip IS NOT NULL;
CREATE INDEX entry_search_by_attempt ON audit.entry_search (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX entry_search_by_session ON audit.entry_search (session_ref) WHERE session_ref IS NOT NULL;
CREATE INDEX entry_search_by_request ON audit.entry_search (request_id) WHERE request_id IS NOT NULL;

CREATE TABLE audit.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text NOT NULL,
    line_no integer NOT NULL CONSTRAINT line_no_counts_from_one CHECK (line_no >= 1),
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT sha256_is_32_bytes CHECK (octet_length(sha256) = 32),
    reason text NOT NULL,
    detail text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    -- A message that comes twice brings the same lines: they are one piece of evidence.
    UNIQUE (message_id, line_no, sha256)
);

-- An event whose clock is far off belongs to no month; it must not be lost, so there is always a place for it.
CREATE TABLE audit.entries_default PARTITION OF audit.entries DEFAULT;
CREATE TABLE audit.entry_search_default PARTITION OF audit.entry_search DEFAULT;

-- Privileges keep the services from changing the log; this keeps the owner from doing it by mistake. Dropping a month's
-- partition is not a change of rows and stays possible for the retention job.
CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% refused: %.% is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.entries FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.entry_search FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.quarantine FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
-- PostgreSQL copies row triggers to partitions by itself, statement triggers not: each partition gets its own.
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.entries FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.entry_search FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.quarantine FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.entries_default
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.entry_search_default
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

-- The smallest UUIDv7 of a moment: 48 bits of milliseconds, then zeros.
CREATE FUNCTION audit.first_event_id(moment timestamptz) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

-- Makes the partitions of last month, this month and `months_ahead` more, and returns how many are new. A month of which the
-- default partition already holds rows stays there: the rows are searchable, only not droppable as one table.
-- SECURITY DEFINER: the consumer calls it with the writer's role, so that no running service holds the owner's credentials.
CREATE FUNCTION audit.ensure_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    month timestamp;
    parent text;
    child text;
    made integer := 0;
BEGIN
    IF months_ahead NOT BETWEEN 1 AND 24 THEN
        RAISE EXCEPTION 'months_ahead must be 1 to 24';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('countersign.audit.ensure_partitions', 0));
    FOR month IN SELECT generate_series(
        this_month - interval '1 month', this_month + months_ahead * interval '1 month', interval '1 month')
    LOOP
        BEGIN
            FOREACH parent IN ARRAY ARRAY['entries', 'entry_search'] LOOP
                child := parent || to_char(month, '"_"YYYY"_"MM');
                CONTINUE WHEN to_regclass('audit.' || child) IS NOT NULL;
                EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.%I FOR VALUES FROM (%L) TO (%L)', child, parent,
                    audit.first_event_id(month AT TIME ZONE 'UTC'),
                    audit.first_event_id((month + interval '1 month') AT TIME ZONE 'UTC'));
                EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.%I '
                    'FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', child);
                made := made + 1;
            END LOOP;
        EXCEPTION WHEN check_violation THEN
            RAISE WARNING 'month % stays in the default partition, which already holds entries of it', to_char(month, 'YYYY-MM');
        END;
    END LOOP;
    RETURN made;
END
$$;

SELECT audit.ensure_partitions(3);

GRANT USAGE ON SCHEMA audit TO countersign_writer, countersign_reader;
-- The writer can add and can recognise what is there already; it cannot read the log, nor state when an entry was recorded.
GRANT INSERT (event_id, entry, leaf_hash), SELECT (event_id, leaf_hash) ON audit.entries TO countersign_writer;
GRANT INSERT ON audit.entry_search TO countersign_writer;
GRANT INSERT (message_id, line_no, bytes, sha256, reason, detail), SELECT ON audit.quarantine TO countersign_writer;
GRANT SELECT ON audit.entries, audit.entry_search, audit.quarantine TO countersign_reader;
GRANT SELECT ON audit.migrations TO countersign_writer, countersign_reader;
REVOKE ALL ON FUNCTION audit.ensure_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.ensure_partitions(integer) TO countersign_writer;
