-- An erasure reaches what retention has dropped, and what people and rules made around the log.
--
-- subject_keys    found by their owner as well: after a month was dropped nothing in the database leads from a person to the
--                 key under which the archive keeps that month.
-- alerts          titles without the account, session or address on the network: alert_people has these, and can be emptied.
-- saved_searches, exports
--                 forgotten when they name a session, attempt, request, device or address on the network of the person, too.

CREATE INDEX subject_keys_to_destroy ON audit.subject_keys (owner) WHERE closing_no IS NOT NULL AND destroyed_at IS NULL;

-- The addresses that are a person's own: those given and those seen with the account, without any that another account was
-- seen with.
CREATE FUNCTION audit.addresses_of_person(sub text, addresses bytea[]) RETURNS SETOF bytea LANGUAGE sql STABLE AS $$
    SELECT known.email_hash FROM (
        SELECT unnest(addresses) AS email_hash
        UNION SELECT s.email_hash FROM audit.entry_search AS s WHERE s.subject_sub = sub AND s.email_hash IS NOT NULL
    ) AS known WHERE NOT EXISTS (
        SELECT FROM audit.entry_search AS other
        WHERE other.email_hash = known.email_hash AND other.subject_sub IS NOT NULL AND other.subject_sub IS DISTINCT FROM sub)
$$;

CREATE OR REPLACE FUNCTION audit.entries_of_person(sub text, addresses bytea[]) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT s.event_id FROM audit.entry_search AS s WHERE s.subject_sub = sub
    UNION ALL
    SELECT s.event_id FROM audit.addresses_of_person(sub, addresses) AS own (email_hash)
    JOIN audit.entry_search AS s ON s.email_hash = own.email_hash AND s.subject_sub IS NULL
$$;

-- The owners whose keys are a person's. `owners` are keyed hashes, which only the service can make: of each of the addresses,
-- in their order, then of the account. That of an address counts only while the address is the person's own.
CREATE FUNCTION audit.owners_of_person(sub text, addresses bytea[], owners bytea[]) RETURNS SETOF bytea
LANGUAGE sql STABLE AS $$
    SELECT given.owner FROM unnest(array_append(addresses, NULL), owners) AS given (email_hash, owner)
    WHERE given.owner IS NOT NULL AND (
        given.email_hash IS NULL OR given.email_hash IN (SELECT audit.addresses_of_person(sub, addresses)))
$$;

-- Of those, the keys that an erasure can count on. Without an entry here they are the keys of months that were dropped.
CREATE FUNCTION audit.closed_keys_of_person(sub text, addresses bytea[], owners bytea[]) RETURNS SETOF uuid
LANGUAGE sql STABLE AS $$
    SELECT k.key_id FROM audit.subject_keys AS k
    WHERE k.closing_no IS NOT NULL AND k.destroyed_at IS NULL
        AND k.owner IN (SELECT audit.owners_of_person(sub, addresses, owners))
$$;

-- As in 0005, and the keys by owner.
DROP FUNCTION audit.close_keys_of_person(text, bytea[]);
CREATE FUNCTION audit.close_keys_of_person(sub text, addresses bytea[], owners bytea[]) RETURNS void
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
        SELECT e.key_id FROM audit.entries_of_person(sub, addresses) AS found (event_id)
        JOIN audit.entries AS e USING (event_id)
        UNION ALL
        SELECT mine.key_id FROM audit.subject_keys AS mine
        WHERE mine.closing_no IS NULL AND mine.destroyed_at IS NULL
            AND mine.owner IN (SELECT audit.owners_of_person(sub, addresses, owners)));
END
$$;

-- As in 0005, and the keys by owner: a person of whom only those are left is erased with no entry.
DROP FUNCTION audit.erase_person(uuid, text, bytea[], bytea, int8multirange, text[], text, text);
CREATE FUNCTION audit.erase_person(
    erasure uuid, sub text, addresses bytea[], owners bytea[], ref bytea, announced int8multirange, typed text[], why text,
    by_whom text
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
    -- With nobody who appends, places a hold, keeps an alert or erases: what is looked at here does not change meanwhile.
    PERFORM pg_advisory_xact_lock(hashtextextended('countersign.audit.erasure', 0));
    IF audit.is_held(sub, addresses) THEN
        RETURN QUERY SELECT 'legal_hold', 0::bigint, '{}'::uuid[], now();
        RETURN;
    END IF;
    ids := ARRAY(SELECT audit.closed_entries_of_person(sub, addresses));
    keys := ARRAY(
        SELECT e.key_id FROM audit.entries AS e WHERE e.event_id = ANY (ids) AND e.key_id IS NOT NULL
        UNION SELECT audit.closed_keys_of_person(sub, addresses, owners));
    IF cardinality(ids) + cardinality(keys) = 0 THEN
        RETURN QUERY SELECT 'nothing_found', 0::bigint, '{}'::uuid[], now();
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM unnest(ids) AS one WHERE NOT EXISTS (SELECT FROM audit.leaves AS l WHERE l.event_id = one)) THEN
        RETURN QUERY SELECT 'not_sealed', 0::bigint, '{}'::uuid[], now();
        RETURN;
    END IF;
    SELECT coalesce(range_agg(int8range(l.leaf_index, l.leaf_index + 1)), '{}') INTO places
    FROM audit.leaves AS l WHERE l.event_id = ANY (ids);
    IF NOT places <@ announced THEN
        RETURN QUERY SELECT 'not_announced', 0::bigint, '{}'::uuid[], now();
        RETURN;
    END IF;

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
    PERFORM audit.empty_what_identifies(erasure, sub, ARRAY(SELECT audit.addresses_of_person(sub, addresses)), ids, typed);
    RETURN QUERY SELECT 'erased', cardinality(ids)::bigint, keys, now();
END
$$;

-- The second half of audit.erase_person: it alone may call it. `hashes` are the person's own addresses.
DROP FUNCTION audit.empty_what_identifies(uuid, text, uuid[], text[]);
CREATE FUNCTION audit.empty_what_identifies(erasure uuid, sub text, hashes bytea[], ids uuid[], typed text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[];
    pieces text[];
    traces text[];
    own_ips text[];
    -- What stands between the words of a search as it is kept, alone or in a filter.
    gaps text := '[][\s"''(){},\\]+';
    emptied text;
BEGIN
    UPDATE audit.quarantine AS q SET bytes = '', detail = '', erasure_id = erasure
    WHERE q.erasure_id IS NULL AND (
        -- A shorter sub is no identifier, and would be found in anything.
        length(sub) >= 16 AND position(convert_to(sub, 'UTF8') IN q.bytes) > 0
        OR EXISTS (SELECT FROM unnest(hashes) AS hash WHERE position(convert_to(encode(hash, 'hex'), 'UTF8') IN q.bytes) > 0));
    UPDATE audit.holds AS h SET subject_sub = NULL, email_hashes = '{}'
    WHERE h.released_at IS NOT NULL AND (h.subject_sub = sub OR h.email_hashes && hashes);

    -- What people made around the log: alerts, and searches that are kept. An alert that names others as well stays, without
    -- the places at which only this person was seen.
    own_ips := ARRAY(
        SELECT host(seen.ip) FROM (
            SELECT DISTINCT s.ip FROM audit.entry_search AS s WHERE s.event_id = ANY (ids) AND s.ip IS NOT NULL
        ) AS seen WHERE NOT EXISTS (
            SELECT FROM audit.entry_search AS other WHERE other.ip = seen.ip
                AND other.subject_sub IS NOT NULL AND other.subject_sub IS DISTINCT FROM sub));
    names := array_remove(typed || sub, NULL) || ARRAY(SELECT encode(hash, 'hex') FROM unnest(hashes) AS hash);
    pieces := ARRAY(
        SELECT CASE WHEN length(name) >= 16 OR name LIKE '%@%' THEN trim('"' FROM to_json(name)::text)
            ELSE to_json(name)::text END
        FROM unnest(names) AS name);
    -- Thousands, of somebody who signs in often, so that whole words are compared. A device that others use too stays theirs.
    traces := ARRAY(
        SELECT trace FROM audit.entry_search AS s, unnest(ARRAY[s.session_ref, s.attempt_id, s.request_id]) AS trace
        WHERE s.event_id = ANY (ids) AND trace IS NOT NULL
        UNION SELECT s.device_id FROM audit.entry_search AS s
        WHERE s.event_id = ANY (ids) AND s.device_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM audit.entry_search AS other WHERE other.device_id = s.device_id
                AND other.subject_sub IS NOT NULL AND other.subject_sub IS DISTINCT FROM sub));
    DELETE FROM audit.alert_people AS p WHERE p.subject = ANY (names) OR p.key = ANY (names) OR p.key IN (SELECT unnest(traces))
        OR p.alert_id IN (SELECT a.alert_id FROM audit.alerts AS a WHERE a.event_ids <@ ids);
    WITH named AS (DELETE FROM audit.alert_people AS p WHERE p.ips && own_ips RETURNING alert_id, key, subject, ips)
    INSERT INTO audit.alert_people (alert_id, key, subject, ips)
    SELECT alert_id, CASE WHEN key = ANY (own_ips) THEN '' ELSE key END, subject,
        ARRAY(SELECT ip FROM unnest(ips) AS ip WHERE ip <> ALL (own_ips))
    FROM named;
    UPDATE audit.exports AS x SET params = NULL
    WHERE EXISTS (SELECT FROM unnest(pieces) AS piece WHERE position(piece IN x.params::text) > 0)
        OR x.export_id IN (
            SELECT kept.export_id FROM audit.exports AS kept, regexp_split_to_table(kept.params::text, gaps) AS word
            WHERE word IN (SELECT unnest(traces || own_ips)));
    UPDATE audit.saved_searches AS s SET params = '{}', updated_at = now()
    WHERE EXISTS (SELECT FROM unnest(pieces) AS piece WHERE position(piece IN s.params::text) > 0)
        OR s.search_id IN (
            SELECT kept.search_id FROM audit.saved_searches AS kept, regexp_split_to_table(kept.params::text, gaps) AS word
            WHERE word IN (SELECT unnest(traces || own_ips)));

    SELECT string_agg(format('%I = %s', attname, CASE WHEN attnotnull THEN '''''' ELSE 'NULL' END), ', ') INTO emptied
    FROM pg_attribute WHERE attrelid = 'audit.entry_search'::regclass AND attnum > 0 AND NOT attisdropped
        AND attgenerated = '' AND attname <> ALL (audit.kept_columns());
    EXECUTE format('UPDATE audit.entry_search SET %s WHERE event_id = ANY ($1)', emptied) USING ids;
    PERFORM audit.forget_unused_words();
END
$$;

-- Which of some entries are erased. No erasure comes before the end of the transaction that asks: what it keeps about the
-- others is there for the next one to find.
CREATE FUNCTION audit.erased_among(event_ids uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('countersign.audit.erasure', 0));
    RETURN QUERY
    SELECT e.event_id FROM audit.entries AS e JOIN audit.subject_keys AS k USING (key_id)
    WHERE e.event_id = ANY (event_ids) AND k.destroyed_at IS NOT NULL;
END
$$;

-- Alerts that are there: nobody may change them, so the refusal is lifted for this one statement.
ALTER TABLE audit.alerts DISABLE TRIGGER append_only;
UPDATE audit.alerts SET title = CASE rule
    WHEN 'refresh_reuse' THEN 'A refresh token was used twice'
    WHEN 'credential_stuffing' THEN regexp_replace(title, ' from .*$', ' from one network')
    ELSE regexp_replace(title, ' from [^ ]*, ', ' from one network, ') END
WHERE rule IN ('refresh_reuse', 'credential_stuffing', 'identifier_spray');
ALTER TABLE audit.alerts ENABLE TRIGGER append_only;

REVOKE ALL ON FUNCTION audit.close_keys_of_person(text, bytea[], bytea[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit.erase_person(uuid, text, bytea[], bytea[], bytea, int8multirange, text[], text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit.empty_what_identifies(uuid, text, bytea[], uuid[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit.erased_among(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.close_keys_of_person(text, bytea[], bytea[]) TO countersign_clerk;
GRANT EXECUTE ON FUNCTION audit.erase_person(uuid, text, bytea[], bytea[], bytea, int8multirange, text[], text, text)
    TO countersign_clerk;
GRANT EXECUTE ON FUNCTION audit.erased_among(uuid[]) TO countersign_clerk;
