-- The proof over the log.
--
-- leaves         which entry is which leaf of the tree. INSERT only.
-- tiles          the tree's hashes (C2SP tlog-tiles). A tile only ever grows at its end, up to 256 hashes.
-- seals          one row for each signed checkpoint, each standing on the one before it. INSERT only.
-- producers      which numbers of which producer the sealed log holds. Derived from the entries; so is gap_edges.
-- gap_edges      the entry behind each hole, and when the hole was noticed.
--
-- One role, countersign_sequencer, writes all of these and nothing else, and nobody else writes them.

-- An entry bundle gives the length of an entry in two bytes.
ALTER TABLE audit.entries ADD CONSTRAINT entry_fits_a_bundle CHECK (octet_length(entry) <= 65535);

-- Partitioned as the entries are, so that a month leaves with its places. That makes event_id the key: no entry has two
-- places. That no place has two entries follows from seals: each begins where exactly one other ends.
CREATE TABLE audit.leaves (
    event_id uuid NOT NULL,
    leaf_index bigint NOT NULL CONSTRAINT leaf_index_counts_from_zero CHECK (leaf_index >= 0),
    PRIMARY KEY (event_id)
) PARTITION BY RANGE (event_id);

CREATE INDEX leaves_by_index ON audit.leaves (leaf_index);
CREATE TABLE audit.leaves_default PARTITION OF audit.leaves DEFAULT;

CREATE TABLE audit.tiles (
    level smallint NOT NULL CONSTRAINT level_is_of_a_tree CHECK (level BETWEEN 0 AND 63),
    tile_index bigint NOT NULL CONSTRAINT tile_index_counts_from_zero CHECK (tile_index >= 0),
    hashes bytea NOT NULL
        CONSTRAINT tile_holds_hashes CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    PRIMARY KEY (level, tile_index)
);
-- Hashes do not compress: trying would only cost time.
ALTER TABLE audit.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE audit.seals (
    tree_size bigint PRIMARY KEY CONSTRAINT tree_size_is_no_less_than_zero CHECK (tree_size >= 0),
    -- Unique: two checkpoints that stand on one are a fork.
    previous_size bigint UNIQUE REFERENCES audit.seals (tree_size),
    root_hash bytea NOT NULL CONSTRAINT root_hash_is_sha256 CHECK (octet_length(root_hash) = 32),
    note text NOT NULL,
    -- Where the sequencer stands in the order of arrival of audit.entries.
    through_xid xid8 NOT NULL,
    through_id uuid NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT only_the_empty_tree_stands_on_nothing CHECK ((previous_size IS NULL) = (tree_size = 0)),
    CONSTRAINT tree_grows CHECK (previous_size < tree_size)
);

CREATE TABLE audit.producers (
    instance uuid PRIMARY KEY,
    service text COLLATE "C" NOT NULL,
    -- The numbers that the log holds of this process.
    seqs int8multirange NOT NULL CONSTRAINT seqs_count_from_zero CHECK (lower(seqs) >= 0),
    -- How many entries bear them: more than there are numbers means that a number was used twice.
    entry_count bigint NOT NULL,
    first_recorded_at timestamptz NOT NULL,
    last_recorded_at timestamptz NOT NULL,
    -- The number of its service.stopped: it said good-bye. Null for one that runs, or that ended without a word.
    stopped_seq bigint
);

CREATE TABLE audit.gap_edges (
    instance uuid NOT NULL REFERENCES audit.producers (instance),
    seq bigint NOT NULL,
    event_id uuid NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (instance, seq)
);
COMMENT ON TABLE audit.gap_edges IS 'The first number behind a hole, its entry, and since when the hole is known.';

-- A line in quarantine is there, though not as an entry: where its producer can be read, its number is no gap.
ALTER TABLE audit.quarantine ADD COLUMN instance uuid, ADD COLUMN seq bigint;
CREATE INDEX quarantine_by_producer ON audit.quarantine (instance, seq) WHERE instance IS NOT NULL;

CREATE FUNCTION audit.refuse_other_than_growth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.level, NEW.tile_index) = (OLD.level, OLD.tile_index)
        AND octet_length(NEW.hashes) > octet_length(OLD.hashes)
        AND substr(NEW.hashes, 1, octet_length(OLD.hashes)) = OLD.hashes
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'tile % of level % holds other hashes than the tree that grows over it', OLD.tile_index, OLD.level
        USING ERRCODE = 'check_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER only_grows BEFORE UPDATE ON audit.tiles FOR EACH ROW EXECUTE FUNCTION audit.refuse_other_than_growth();
CREATE TRIGGER append_only BEFORE DELETE ON audit.tiles FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.leaves FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.seals FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.tiles FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.leaves FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.leaves_default FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.seals FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

-- As before, and the leaves with the rest.
CREATE OR REPLACE FUNCTION audit.ensure_partitions(months_ahead integer) RETURNS integer
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
            FOREACH parent IN ARRAY ARRAY['entries', 'entry_search', 'leaves'] LOOP
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

GRANT USAGE ON SCHEMA audit TO countersign_sequencer;
GRANT SELECT ON audit.entries, audit.migrations TO countersign_sequencer;
GRANT SELECT, INSERT (event_id, leaf_index) ON audit.leaves TO countersign_sequencer;
GRANT SELECT, INSERT, UPDATE (hashes) ON audit.tiles TO countersign_sequencer;
GRANT SELECT, INSERT (tree_size, previous_size, root_hash, note, through_xid, through_id) ON audit.seals
    TO countersign_sequencer;
GRANT SELECT, INSERT, UPDATE ON audit.producers TO countersign_sequencer;
GRANT SELECT, INSERT, DELETE ON audit.gap_edges TO countersign_sequencer;
GRANT SELECT ON audit.leaves, audit.tiles, audit.seals, audit.producers, audit.gap_edges TO countersign_reader;
GRANT INSERT (instance, seq) ON audit.quarantine TO countersign_writer;
