-- Keys under which a person's entries are kept, what was erased, and what must not be.
--
-- subject_keys   one open data key for each person, wrapped by the deployment's key. To destroy it is to erase what it encrypts.
--                Before that it is closed: nothing new comes under it, so that it is known what goes with it.
-- holds          whose records must be kept, whoever asks. Read by the erasure, and by whatever drops old months.
-- erasures       one row for each erasure that was carried out. INSERT only.
--
-- entries.key_id names the key; without one the bytes are the entry itself: events about nobody, and entries from before this
-- migration. The leaf hash is over the entry as it was written, always.

CREATE TABLE audit.subject_keys (
    key_id uuid PRIMARY KEY,
    -- HMAC-SHA256 over "sub:..." or "email:...". Its key is the data key of the row whose owner is 32 zero bytes.
    owner bytea NOT NULL CONSTRAINT owner_is_sha256 CHECK (octet_length(owner) = 32),
    -- Nonce, AES-256-GCM of 32 bytes under the deployment's key with key_id as associated data, tag.
    wrapped_key bytea CONSTRAINT wrapped_key_has_its_length CHECK (octet_length(wrapped_key) = 60),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Nothing is encrypted under a key that has a number here. Consumers compare the newest with the one that their keys were
    -- read under.
    closing_no bigint,
    destroyed_at timestamptz,
    CONSTRAINT destroyed_means_gone CHECK ((wrapped_key IS NULL) = (destroyed_at IS NOT NULL)),
    CONSTRAINT the_key_of_owners_stays CHECK (
        closing_no IS NULL AND destroyed_at IS NULL OR owner <> decode(repeat('00', 32), 'hex'))
);
-- Two consumers that make one owner's key at once end with one key; a closed one makes room for the next.
CREATE UNIQUE INDEX subject_keys_by_owner ON audit.subject_keys (owner) WHERE closing_no IS NULL AND destroyed_at IS NULL;
CREATE INDEX subject_keys_by_closing ON audit.subject_keys (closing_no) WHERE closing_no IS NOT NULL;

CREATE TABLE audit.holds (
    hold_id uuid PRIMARY KEY,
    hold_no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    -- An account, or an address as its keyed hashes, one for each live key. Emptied when the person is erased after the release.
    subject_sub text COLLATE "C",
    email_hashes bytea[] NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    released_at timestamptz,
    released_by text,
    CONSTRAINT released_by_somebody CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CONSTRAINT hold_names_somebody CHECK (released_at IS NOT NULL OR subject_sub IS NOT NULL OR cardinality(email_hashes) > 0)
);

CREATE TABLE audit.erasures (
    erasure_id uuid PRIMARY KEY,
    erasure_no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    subject_ref bytea NOT NULL CONSTRAINT subject_ref_is_sha256 CHECK (octet_length(subject_ref) = 32),
    leaves int8multirange NOT NULL,
    entry_count bigint NOT NULL,
    key_ids uuid[] NOT NULL,
    -- The tables whose files still hold what was removed from them, until they are compacted.
    tables text[] NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    compacted_at timestamptz
);

ALTER TABLE audit.entries ADD COLUMN key_id uuid;
-- A nonce and a tag are 28 bytes. Not checked for what is there: it obeys the stricter rule that this one replaces.
ALTER TABLE audit.entries DROP CONSTRAINT entry_fits_a_bundle;
ALTER TABLE audit.entries ADD CONSTRAINT entry_fits_a_bundle
    CHECK (octet_length(entry) <= 65535 + CASE WHEN key_id IS NULL THEN 0 ELSE 28 END) NOT VALID;
ALTER TABLE audit.quarantine ADD COLUMN erasure_id uuid REFERENCES audit.erasures (erasure_id);

-- What an erasure leaves of a row of entry_search: enough to count and to be complete. Every other column is emptied, one that
-- a later migration adds as well, unless that migration names it here.
CREATE FUNCTION audit.kept_columns() RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN ARRAY['event_id', 'occurred_at', 'event_type', 'outcome', 'service', 'instance', 'seq', 'method', 'state'];

-- The entries that an erasure of a person destroys: those of the account, and those that name only an address of theirs. An
-- address that another account was seen with stays.
CREATE FUNCTION audit.entries_of_person(sub text, addresses bytea[]) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH known AS (
        SELECT unnest(addresses) AS email_hash
        UNION SELECT s.email_hash FROM audit.entry_search AS s WHERE s.subject_sub = sub AND s.email_hash IS NOT NULL
    ), own AS (
        SELECT known.email_hash FROM known WHERE NOT EXISTS (
            SELECT FROM audit.entry_search AS other
            WHERE other.email_hash = known.email_hash AND other.subject_sub IS NOT NULL AND other.subject_sub IS DISTINCT FROM sub)
    )
    SELECT s.event_id FROM audit.entry_search AS s WHERE s.subject_sub = sub
    UNION ALL
    SELECT s.event_id FROM own JOIN audit.entry_search AS s ON s.email_hash = own.email_hash AND s.subject_sub IS NULL
$$;

-- Of those, the ones that an erasure can count on: under a closed key, or from before there were keys. No more arrive.
CREATE FUNCTION audit.closed_entries_of_person(sub text, addresses bytea[]) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT found.event_id FROM audit.entries_of_person(sub, addresses) AS found (event_id)
    JOIN audit.entries AS e ON e.event_id = found.event_id
    LEFT JOIN audit.subject_keys AS k ON k.key_id = e.key_id
    WHERE e.key_id IS NULL OR k.closing_no IS NOT NULL
$$;

CREATE FUNCTION audit.is_held(sub text, addresses bytea[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM audit.holds AS h WHERE h.released_at IS NULL AND (
            h.subject_sub = sub OR h.email_hashes && addresses OR EXISTS (
                SELECT FROM audit.entry_search AS s WHERE s.subject_sub = sub AND s.email_hash = ANY (h.email_hashes))))
$$;

-- The rules of the append-only tables, with the one change that an erasure makes. They ask for the state, not for who asks:
-- the owner, too, can empty only what belongs to a destroyed key.
CREATE FUNCTION audit.refuse_other_than_emptying() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := to_jsonb(OLD);
    after jsonb := to_jsonb(NEW);
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(audit.kept_columns()) AS kept WHERE after -> kept IS DISTINCT FROM before -> kept)
        AND NOT EXISTS (
            SELECT FROM jsonb_each(after - audit.kept_columns()) AS rest
            WHERE rest.value NOT IN ('null', '""', '[]', '{}', 'false', '0'))
        AND EXISTS (
            SELECT FROM audit.entries AS e JOIN audit.subject_keys AS k USING (key_id)
            WHERE e.event_id = OLD.event_id AND k.destroyed_at IS NOT NULL)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% refused: %.% is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION audit.refuse_other_than_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'entry' - 'key_id' = to_jsonb(OLD) - 'entry' - 'key_id'
        AND OLD.key_id IS NULL AND NEW.entry = '\x00'
        AND EXISTS (SELECT FROM audit.subject_keys AS k WHERE k.key_id = NEW.key_id AND k.destroyed_at IS NOT NULL)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% refused: %.% is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION audit.refuse_other_than_emptying_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'bytes' - 'detail' - 'erasure_id' = to_jsonb(OLD) - 'bytes' - 'detail' - 'erasure_id'
        AND NEW.bytes = '' AND NEW.detail = '' AND OLD.erasure_id IS NULL AND NEW.erasure_id IS NOT NULL
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% refused: %.% is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

-- A key may be closed, once; destroyed; or wrapped anew under another key of the deployment. It does not come back.
CREATE FUNCTION audit.refuse_other_than_end_of_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.destroyed_at IS NULL
        AND (OLD.closing_no IS NULL OR NEW.closing_no = OLD.closing_no)
        AND to_jsonb(NEW) - 'wrapped_key' - 'closing_no' - 'destroyed_at'
            = to_jsonb(OLD) - 'wrapped_key' - 'closing_no' - 'destroyed_at'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% refused: %.% is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

-- A hold is released once; after that only whom it named may be removed.
CREATE FUNCTION audit.refuse_other_than_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.released_at IS NULL AND to_jsonb(NEW) - 'released_at' - 'released_by' = to_jsonb(OLD) - 'released_at' - 'released_by'
        OR OLD.released_at IS NOT NULL AND NEW.subject_sub IS NULL AND cardinality(NEW.email_hashes) = 0
            AND to_jsonb(NEW) - 'subject_sub' - 'email_hashes' = to_jsonb(OLD) - 'subject_sub' - 'email_hashes'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% refused: a hold is only released', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION audit.refuse_other_than_compaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.compacted_at IS NULL AND to_jsonb(NEW) - 'compacted_at' = to_jsonb(OLD) - 'compacted_at' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% refused: %.% is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

DROP TRIGGER append_only ON audit.entries;
DROP TRIGGER append_only ON audit.entry_search;
DROP TRIGGER append_only ON audit.quarantine;
CREATE TRIGGER no_delete BEFORE DELETE ON audit.entries FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE ON audit.entry_search FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE ON audit.quarantine FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE ON audit.entries FOR EACH ROW EXECUTE FUNCTION audit.refuse_other_than_erasing();
CREATE TRIGGER append_only BEFORE UPDATE ON audit.entry_search
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_other_than_emptying();
CREATE TRIGGER append_only BEFORE UPDATE ON audit.quarantine
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_other_than_emptying_line();
CREATE TRIGGER only_ended BEFORE UPDATE ON audit.subject_keys
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_other_than_end_of_key();
CREATE TRIGGER only_released BEFORE UPDATE ON audit.holds FOR EACH ROW EXECUTE FUNCTION audit.refuse_other_than_release();
CREATE TRIGGER only_compacted BEFORE UPDATE ON audit.erasures
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_other_than_compaction();
CREATE TRIGGER append_only BEFORE DELETE ON audit.subject_keys FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE ON audit.holds FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE ON audit.erasures FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.subject_keys FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.holds FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.erasures FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

-- Closes a person's keys, so that the entries under them are all there are: those that come from now on are under new keys.
-- Nothing that can be read changes; a person on hold keeps their keys as they are.
CREATE FUNCTION audit.close_keys_of_person(sub text, addresses bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Whoever appends holds this lock shared: no entry is under way with a key that is closed here.
    PERFORM pg_advisory_xact_lock(hashtextextended('countersign.audit.erasure', 0));
    IF audit.is_held(sub, addresses) THEN
        RETURN;
    END IF;
    UPDATE audit.subject_keys AS k
    SET closing_no = (SELECT coalesce(max(closed.closing_no), 0) + 1 FROM audit.subject_keys AS closed)
    WHERE k.closing_no IS NULL AND k.destroyed_at IS NULL AND k.key_id IN (
        SELECT e.key_id FROM audit.entries_of_person(sub, addresses) AS found (event_id) JOIN audit.entries AS e USING (event_id));
END
$$;

-- Erases a person, in one transaction: destroys their closed keys, empties what can be searched, and says so in audit.erasures.
--
--   announced   the leaves that a sealed event has named as about to be erased; without it nothing is.
--   ref         the keyed reference under which the erasure is remembered.
--   typed       addresses of the person as somebody typed them into a search that is kept.
--
-- `verdict` is erased, legal_hold, not_sealed (entries of the person wait for their place), not_announced (there are entries
-- that no event has named) or nothing_found. Only the first one changed anything.
-- SECURITY DEFINER: nobody who runs holds the right to change the log; this is the one change, and it checks for itself.
CREATE FUNCTION audit.erase_person(
    erasure uuid, sub text, addresses bytea[], ref bytea, announced int8multirange, typed text[], why text, by_whom text
) RETURNS TABLE (verdict text, erased_entries bigint, erased_keys uuid[], erased_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids uuid[];
    places int8multirange;
    keys uuid[];
    old_ids uuid[];
    old_key uuid;
    touched text[];
BEGIN
    -- With nobody who appends, places a hold or erases: what is looked at here does not change meanwhile.
    PERFORM pg_advisory_xact_lock(hashtextextended('countersign.audit.erasure', 0));
    IF audit.is_held(sub, addresses) THEN
        RETURN QUERY SELECT 'legal_hold', 0::bigint, '{}'::uuid[], now();
        RETURN;
    END IF;
    ids := ARRAY(SELECT audit.closed_entries_of_person(sub, addresses));
    IF cardinality(ids) = 0 THEN
        RETURN QUERY SELECT 'nothing_found', 0::bigint, '{}'::uuid[], now();
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM unnest(ids) AS one WHERE NOT EXISTS (SELECT FROM audit.leaves AS l WHERE l.event_id = one)) THEN
        RETURN QUERY SELECT 'not_sealed', 0::bigint, '{}'::uuid[], now();
        RETURN;
    END IF;
    SELECT range_agg(int8range(l.leaf_index, l.leaf_index + 1)) INTO places FROM audit.leaves AS l WHERE l.event_id = ANY (ids);
    IF NOT places <@ announced THEN
        RETURN QUERY SELECT 'not_announced', 0::bigint, '{}'::uuid[], now();
        RETURN;
    END IF;

    SELECT coalesce(array_agg(DISTINCT e.key_id), '{}') INTO keys
    FROM audit.entries AS e WHERE e.event_id = ANY (ids) AND e.key_id IS NOT NULL;
    UPDATE audit.subject_keys AS k SET wrapped_key = NULL, destroyed_at = now()
    WHERE k.key_id = ANY (keys) AND k.destroyed_at IS NULL;

    -- Entries from before there were keys: their bytes give way to one zero byte, under a key that never was.
    old_ids := ARRAY(SELECT e.event_id FROM audit.entries AS e WHERE e.event_id = ANY (ids) AND e.key_id IS NULL);
    IF cardinality(old_ids) > 0 THEN
        old_key := gen_random_uuid();
        INSERT INTO audit.subject_keys (key_id, owner, wrapped_key, destroyed_at) VALUES (old_key, ref, NULL, now());
        UPDATE audit.entries AS e SET entry = '\x00', key_id = old_key WHERE e.event_id = ANY (old_ids);
    END IF;

    touched := ARRAY(
        SELECT DISTINCT s.tableoid::regclass::text FROM audit.entry_search AS s WHERE s.event_id = ANY (ids)
        UNION SELECT DISTINCT e.tableoid::regclass::text FROM audit.entries AS e WHERE e.event_id = ANY (old_ids)
        UNION SELECT unnest(ARRAY['audit.subject_keys', 'audit.holds', 'audit.quarantine', 'audit.known_words'])
        UNION SELECT unnest(ARRAY['audit.alert_people', 'audit.exports', 'audit.saved_searches']));
    INSERT INTO audit.erasures (erasure_id, subject_ref, leaves, entry_count, key_ids, tables, reason, created_by)
    VALUES (erasure, ref, places, cardinality(ids), array_remove(keys || old_key, NULL), touched, why, by_whom);
    PERFORM audit.empty_what_identifies(erasure, sub, ids, typed);
    RETURN QUERY SELECT 'erased', cardinality(ids)::bigint, keys, now();
END
$$;

-- The second half of audit.erase_person: it alone may call it.
CREATE FUNCTION audit.empty_what_identifies(erasure uuid, sub text, ids uuid[], typed text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hashes bytea[];
    names text[];
    pieces text[];
    own_ips text[];
    emptied text;
BEGIN
    hashes := ARRAY(SELECT DISTINCT s.email_hash FROM audit.entry_search AS s
        WHERE s.event_id = ANY (ids) AND s.email_hash IS NOT NULL AND NOT EXISTS (
            SELECT FROM audit.entry_search AS other WHERE other.email_hash = s.email_hash
                AND other.subject_sub IS NOT NULL AND other.subject_sub IS DISTINCT FROM sub));
    UPDATE audit.quarantine AS q SET bytes = '', detail = '', erasure_id = erasure
    WHERE q.erasure_id IS NULL AND (
        -- A shorter sub is no identifier, and would be found in anything.
        length(sub) >= 16 AND position(convert_to(sub, 'UTF8') IN q.bytes) > 0
        OR EXISTS (SELECT FROM unnest(hashes) AS hash WHERE position(convert_to(encode(hash, 'hex'), 'UTF8') IN q.bytes) > 0));
    UPDATE audit.holds AS h SET subject_sub = NULL, email_hashes = '{}'
    WHERE h.released_at IS NOT NULL AND (h.subject_sub = sub OR h.email_hashes && hashes);

    -- What people made around the log: alerts, and searches that are kept. The tables are of later migrations. An alert that
    -- names others as well stays, without the places at which only this person was seen.
    own_ips := ARRAY(
        SELECT host(seen.ip) FROM (
            SELECT DISTINCT s.ip FROM audit.entry_search AS s WHERE s.event_id = ANY (ids) AND s.ip IS NOT NULL
        ) AS seen WHERE NOT EXISTS (
            SELECT FROM audit.entry_search AS other WHERE other.ip = seen.ip
                AND other.subject_sub IS NOT NULL AND other.subject_sub IS DISTINCT FROM sub));
    names := array_remove(typed || sub, NULL) || ARRAY(SELECT encode(hash, 'hex') FROM unnest(hashes) AS hash);
    pieces := ARRAY(
        SELECT CASE WHEN length(name) >= 16 OR name LIKE '%@%' THEN trim('"' FROM to_json(name)::text) ELSE to_json(name)::text END
        FROM unnest(names) AS name);
    DELETE FROM audit.alert_people AS p WHERE p.subject = ANY (names) OR p.key = ANY (names)
        OR p.alert_id IN (SELECT a.alert_id FROM audit.alerts AS a WHERE a.event_ids <@ ids);
    WITH named AS (DELETE FROM audit.alert_people AS p WHERE p.ips && own_ips RETURNING alert_id, key, subject, ips)
    INSERT INTO audit.alert_people (alert_id, key, subject, ips)
    SELECT alert_id, CASE WHEN key = ANY (own_ips) THEN '' ELSE key END, subject,
        ARRAY(SELECT ip FROM unnest(ips) AS ip WHERE ip <> ALL (own_ips))
    FROM named;
    UPDATE audit.exports AS x SET params = NULL
    WHERE EXISTS (SELECT FROM unnest(pieces) AS piece WHERE position(piece IN x.params::text) > 0);
    UPDATE audit.saved_searches AS s SET params = '{}', updated_at = now()
    WHERE EXISTS (SELECT FROM unnest(pieces) AS piece WHERE position(piece IN s.params::text) > 0);

    SELECT string_agg(format('%I = %s', attname, CASE WHEN attnotnull THEN '''''' ELSE 'NULL' END), ', ') INTO emptied
    FROM pg_attribute WHERE attrelid = 'audit.entry_search'::regclass AND attnum > 0 AND NOT attisdropped
        AND attgenerated = '' AND attname <> ALL (audit.kept_columns());
    EXECUTE format('UPDATE audit.entry_search SET %s WHERE event_id = ANY ($1)', emptied) USING ids;
    PERFORM audit.forget_unused_words();
END
$$;

REVOKE ALL ON FUNCTION audit.close_keys_of_person(text, bytea[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit.erase_person(uuid, text, bytea[], bytea, int8multirange, text[], text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit.empty_what_identifies(uuid, text, uuid[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.close_keys_of_person(text, bytea[]) TO countersign_clerk;
GRANT EXECUTE ON FUNCTION audit.erase_person(uuid, text, bytea[], bytea, int8multirange, text[], text, text) TO countersign_clerk;
GRANT INSERT (hold_id, subject_sub, email_hashes, reason, created_by), SELECT ON audit.holds TO countersign_clerk;
GRANT UPDATE (released_at, released_by) ON audit.holds TO countersign_clerk;
GRANT SELECT ON audit.holds, audit.erasures, audit.subject_keys TO countersign_reader;
GRANT INSERT (key_id) ON audit.entries TO countersign_writer;
GRANT INSERT (key_id, owner, wrapped_key), SELECT ON audit.subject_keys TO countersign_writer;
GRANT SELECT ON audit.subject_keys TO countersign_sequencer;
