-- What leaves the log, and what of it was let go.
--
-- exports               files that somebody asked for. What they asked for is forgotten when the export expires.
-- streams               how far each configured stream has been delivered.
-- archived_days         one row for each day in the archive, each standing on the one before it. INSERT only.
-- retention_statements  one row for each month that was dropped: what it was, signed. INSERT only.

CREATE TABLE audit.exports (
    export_id uuid PRIMARY KEY,
    owner_kind text COLLATE "C" NOT NULL,
    owner_id text COLLATE "C" NOT NULL,
    format text COLLATE "C" NOT NULL,
    -- A list of names and values; it may name a person, so it is null once the export has expired.
    params jsonb,
    -- The file ends with the leaf before this one, however often it is fetched.
    end_leaf bigint NOT NULL CONSTRAINT end_leaf_counts_from_zero CHECK (end_leaf >= 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CONSTRAINT expires_after_it_was_made CHECK (expires_at > created_at)
);
CREATE INDEX exports_by_owner ON audit.exports (owner_kind, owner_id, created_at DESC, export_id DESC);
CREATE INDEX exports_to_forget ON audit.exports (expires_at) WHERE params IS NOT NULL;

CREATE TABLE audit.streams (
    name text COLLATE "C" PRIMARY KEY,
    -- The first leaf that the receiver has not acknowledged.
    next_leaf bigint NOT NULL CONSTRAINT next_leaf_counts_from_zero CHECK (next_leaf >= 0),
    delivered_at timestamptz,
    failing_since timestamptz,
    last_error text
);

CREATE FUNCTION audit.refuse_going_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.next_leaf >= OLD.next_leaf AND NEW.name = OLD.name THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'stream % stands at leaf % and does not go back to %', OLD.name, OLD.next_leaf, NEW.next_leaf
        USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
END
$$;
CREATE TRIGGER only_forward BEFORE UPDATE ON audit.streams FOR EACH ROW EXECUTE FUNCTION audit.refuse_going_back();

CREATE TABLE audit.archived_days (
    -- The UTC day on which these leaves were sealed.
    day date PRIMARY KEY,
    first_leaf bigint NOT NULL CONSTRAINT first_leaf_counts_from_zero CHECK (first_leaf >= 0),
    end_leaf bigint NOT NULL UNIQUE,
    -- The end of the day before: a day that leaves a hole, or two days that begin at one leaf, cannot be stored.
    previous_end bigint UNIQUE REFERENCES audit.archived_days (end_leaf),
    bucket text NOT NULL,
    manifest_key text NOT NULL,
    manifest_version text NOT NULL,
    manifest_sha256 bytea NOT NULL CONSTRAINT manifest_sha256_is_32_bytes CHECK (octet_length(manifest_sha256) = 32),
    object_count integer NOT NULL CONSTRAINT there_are_objects CHECK (object_count > 0),
    byte_count bigint NOT NULL CONSTRAINT objects_have_bytes CHECK (byte_count > 0),
    lock_mode text NOT NULL CONSTRAINT lock_mode_is_known CHECK (lock_mode IN ('COMPLIANCE', 'GOVERNANCE')),
    lock_until timestamptz NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT a_day_holds_leaves CHECK (end_leaf > first_leaf),
    CONSTRAINT only_the_first_day_stands_on_nothing CHECK ((previous_end IS NULL) = (first_leaf = 0)),
    CONSTRAINT a_day_begins_where_one_ended CHECK (previous_end = first_leaf)
);

CREATE TABLE audit.retention_statements (
    month date PRIMARY KEY CONSTRAINT month_is_its_first_day CHECK (extract(day FROM month) = 1),
    -- The leaves that went with it.
    leaves int8multirange NOT NULL,
    entry_count bigint NOT NULL,
    note text NOT NULL,
    archive_key text NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.archived_days
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.archived_days FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.retention_statements
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.retention_statements
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

GRANT SELECT, INSERT, UPDATE (params) ON audit.exports TO countersign_clerk;
GRANT SELECT, INSERT, UPDATE ON audit.streams TO countersign_clerk;
GRANT SELECT, INSERT (day, first_leaf, end_leaf, previous_end, bucket, manifest_key, manifest_version, manifest_sha256,
    object_count, byte_count, lock_mode, lock_until) ON audit.archived_days TO countersign_clerk;
GRANT SELECT ON audit.streams, audit.archived_days, audit.retention_statements TO countersign_reader;
