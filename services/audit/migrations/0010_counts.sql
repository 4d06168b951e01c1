-- The hourly counts know type and outcome together: how many sign-ins failed in each hour of a month is read, not counted.
--
-- hourly_counts   one count for each hour, type and outcome. Derived, as before: `counted` says from which leaves.
-- hourly_words    what hourly_counts was: methods, services and countries, each word alone.
--
-- entry_search    the index by time carries address and outcome: who came most often in a day is read from the entries of that day
--                 in the index, and not from those of all days.
--
-- Entries that are here are counted again, both words together. What retention dropped cannot be: of it the counts of each word
-- alone stay, with '' for the other word, which is not known any more.
--
-- It reads each entry twice, so it takes as long as the log is large. Stop the processes of the release before first: they name a
-- column that is gone afterwards. The queue holds what arrives.

SET LOCAL statement_timeout = 0;

-- The turn of whoever counts: nothing is counted meanwhile.
SELECT pg_advisory_xact_lock(x'436F756E74436E74'::bigint);

ALTER TABLE audit.hourly_counts RENAME TO hourly_words;
ALTER TABLE audit.hourly_words RENAME CONSTRAINT hourly_counts_pkey TO hourly_words_pkey;

CREATE TABLE audit.hourly_counts (
    hour timestamptz NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    entry_count bigint NOT NULL CONSTRAINT entry_count_is_more_than_zero CHECK (entry_count > 0),
    CONSTRAINT a_word_is_known CHECK (event_type <> '' OR outcome <> ''),
    PRIMARY KEY (hour, event_type, outcome)
);

INSERT INTO audit.hourly_counts (hour, event_type, outcome, entry_count)
SELECT date_trunc('hour', s.occurred_at, 'UTC'), s.event_type, s.outcome, count(*)
FROM audit.leaves AS l JOIN audit.entry_search AS s USING (event_id)
WHERE l.leaf_index < (SELECT leaf_count FROM audit.counted)
GROUP BY 1, 2, 3;

-- An hour may hold both, entries that went and entries that stay: what was counted and is not here any more is what went.
INSERT INTO audit.hourly_counts (hour, event_type, outcome, entry_count)
SELECT w.hour, CASE w.dimension WHEN 'event_type' THEN w.word ELSE '' END, CASE w.dimension WHEN 'outcome' THEN w.word ELSE '' END,
    w.entry_count - coalesce(here.entry_count, 0)
FROM audit.hourly_words AS w LEFT JOIN (
    SELECT 'event_type' AS dimension, c.hour, c.event_type AS word, sum(c.entry_count)::bigint AS entry_count
    FROM audit.hourly_counts AS c GROUP BY 2, 3
    UNION ALL
    SELECT 'outcome', c.hour, c.outcome, sum(c.entry_count)::bigint FROM audit.hourly_counts AS c GROUP BY 2, 3
) AS here USING (dimension, hour, word)
WHERE w.dimension IN ('event_type', 'outcome') AND w.entry_count > coalesce(here.entry_count, 0);

DELETE FROM audit.hourly_words WHERE dimension IN ('event_type', 'outcome');
ALTER TABLE audit.hourly_words DROP CONSTRAINT dimension_is_known;
ALTER TABLE audit.hourly_words
    ADD CONSTRAINT dimension_is_known CHECK (dimension IN ('method', 'service', 'country'));

GRANT SELECT ON audit.hourly_counts TO countersign_reader;
GRANT SELECT, INSERT, UPDATE (entry_count) ON audit.hourly_counts TO countersign_clerk;

DROP INDEX audit.entry_search_by_time;
CREATE INDEX entry_search_by_time ON audit.entry_search (occurred_at, event_id) INCLUDE (ip, outcome);
