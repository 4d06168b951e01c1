-- What a search can ask for beyond 0001, and what statistics need.
--
-- entry_search      more columns. Those of entries that were appended before this release stay null: nothing here reads bytes.
-- known_words       each text of entry_search.words once. Free-text search looks through these, thousands, and then for the entries
--                   that have one of them; an index over all parts of all texts made appending twice as dear.
-- hourly_counts     how many entries each hour holds, by one word of them. Derived: `counted` says from which leaves.
-- saved_searches    searches that people keep under a name. Nothing of the log: the clerk may change and remove them.
--
-- Of the new columns these identify a person, or may: device_id, user_agent, country, data, reason, words_id, and actor_id when the
-- actor is a user. subject_refs identifies nobody to whom the key of its HMAC is unknown.

ALTER TABLE audit.entry_search
    ADD COLUMN reason text COLLATE "C",
    ADD COLUMN country text COLLATE "C",
    ADD COLUMN device_id text COLLATE "C",
    ADD COLUMN user_agent text COLLATE "C",
    ADD COLUMN action text COLLATE "C",
    ADD COLUMN operation text COLLATE "C",
    ADD COLUMN error text COLLATE "C",
    ADD COLUMN route text COLLATE "C",
    ADD COLUMN status integer,
    ADD COLUMN actor_kind text COLLATE "C",
    ADD COLUMN actor_id text COLLATE "C",
    ADD COLUMN data jsonb,
    ADD COLUMN subject_refs bytea[],
    ADD COLUMN words_id uuid;

COMMENT ON COLUMN audit.entry_search.data IS 'The members under data, or null where there are none or they are too long to search.';
COMMENT ON COLUMN audit.entry_search.subject_refs IS
    'Of a read that was about certain people: the keyed references of whom. So a person can be told who looked.';

-- Few entries have these: the indexes stay small.
CREATE INDEX entry_search_by_actor ON audit.entry_search (actor_id, occurred_at, event_id) WHERE actor_id IS NOT NULL;
CREATE INDEX entry_search_by_reader ON audit.entry_search USING gin (subject_refs) WHERE subject_refs IS NOT NULL;

-- A whole device id can be searched for.
CREATE INDEX entry_search_by_device ON audit.entry_search (device_id) WHERE device_id IS NOT NULL;

CREATE TABLE audit.known_words (
    words_id uuid PRIMARY KEY,
    words text COLLATE "C" NOT NULL
);

-- What is stored already gets the name of its text. Derived data: the refusal of changes is lifted for this one statement.
ALTER TABLE audit.entry_search DISABLE TRIGGER append_only;
UPDATE audit.entry_search SET words_id = encode(substr(sha256(convert_to(words, 'UTF8')), 1, 16), 'hex')::uuid;
ALTER TABLE audit.entry_search ENABLE TRIGGER append_only;
INSERT INTO audit.known_words (words_id, words) SELECT DISTINCT words_id, words FROM audit.entry_search;
CREATE INDEX entry_search_by_words ON audit.entry_search (words_id, occurred_at, event_id);

-- Removes texts that no entry has any more: after an erasure, or when a month was dropped. Appends wait meanwhile, since one
-- of them may be about to use a text that looks unused.
CREATE FUNCTION audit.forget_unused_words() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    gone bigint;
BEGIN
    LOCK TABLE audit.known_words IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM audit.known_words AS k
    WHERE NOT EXISTS (SELECT FROM audit.entry_search AS s WHERE s.words_id = k.words_id);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

CREATE TABLE audit.hourly_counts (
    dimension text COLLATE "C" NOT NULL
        CONSTRAINT dimension_is_known CHECK (dimension IN ('outcome', 'event_type', 'method', 'service', 'country')),
    hour timestamptz NOT NULL,
    -- The word that is counted; '' for entries that have none.
    word text COLLATE "C" NOT NULL,
    entry_count bigint NOT NULL CONSTRAINT entry_count_is_more_than_zero CHECK (entry_count > 0),
    PRIMARY KEY (dimension, hour, word)
);

-- One row: hourly_counts holds the leaves 0 to leaf_count - 1, each once.
CREATE TABLE audit.counted (
    is_only boolean PRIMARY KEY DEFAULT true CONSTRAINT there_is_one_row CHECK (is_only),
    leaf_count bigint NOT NULL CONSTRAINT leaf_count_is_no_less_than_zero CHECK (leaf_count >= 0)
);
INSERT INTO audit.counted (leaf_count) VALUES (0);

CREATE TABLE audit.saved_searches (
    search_id uuid PRIMARY KEY,
    owner_kind text NOT NULL,
    owner_id text NOT NULL,
    name text NOT NULL CONSTRAINT name_is_short CHECK (char_length(name) BETWEEN 1 AND 100),
    params jsonb NOT NULL CONSTRAINT params_is_an_object CHECK (jsonb_typeof(params) = 'object'),
    is_shared boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner_kind, owner_id, name)
);

GRANT INSERT, SELECT (words_id) ON audit.known_words TO countersign_writer;
GRANT SELECT ON audit.known_words, audit.hourly_counts, audit.counted TO countersign_reader;
-- The clerk counts, and so reads what it counts.
GRANT SELECT ON audit.leaves, audit.seals TO countersign_clerk;
GRANT SELECT (event_id, occurred_at, outcome, event_type, method, service, country) ON audit.entry_search TO countersign_clerk;
GRANT SELECT, INSERT, UPDATE (entry_count), DELETE ON audit.hourly_counts TO countersign_clerk;
GRANT SELECT, UPDATE (leaf_count) ON audit.counted TO countersign_clerk;
GRANT SELECT, INSERT, UPDATE (name, params, is_shared, updated_at), DELETE ON audit.saved_searches TO countersign_clerk;
REVOKE ALL ON FUNCTION audit.forget_unused_words() FROM PUBLIC;
