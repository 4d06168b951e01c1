-- What is most frequent, from indexes alone, and a narrower entry_search.
--
-- entry_search   loses the text for free-text search: known_words has it, once for all entries that share it.
-- known_words    gets the browser in a text, as it was sent: entries with one text have one browser. So the browsers of a month
--                are counted by the names of texts, thousands, and not by reading millions of rows.
--
-- The indexes by address, account and text carry the outcome: who failed most often in a month is read from them. That of the
-- leaves carries the place, which every entry that is shown is asked for.
--
-- seals          by the time of sealing: which leaves an archived day has, and where a look-back begins.
--
-- It writes every row of entry_search anew, so it takes as long as the log is large; appending and searching wait, the queue holds
-- what arrives. Stop the processes of the release before first: they name a column that is gone afterwards.

SET LOCAL statement_timeout = 0;

ALTER TABLE audit.known_words ADD COLUMN user_agent text COLLATE "C";

-- What is stored already gets the new name of its text. Derived data: the refusal of changes is lifted for this one statement.
ALTER TABLE audit.entry_search DISABLE TRIGGER append_only;
UPDATE audit.entry_search SET words_id = encode(substr(sha256(
    convert_to(words, 'UTF8') || '\x00' || convert_to(coalesce(user_agent, ''), 'UTF8')), 1, 16), 'hex')::uuid
WHERE words_id IS NOT NULL;
ALTER TABLE audit.entry_search ENABLE TRIGGER append_only;
DELETE FROM audit.known_words;
INSERT INTO audit.known_words (words_id, words, user_agent)
SELECT DISTINCT ON (words_id) words_id, words, nullif(user_agent, '') FROM audit.entry_search WHERE words_id IS NOT NULL;
ALTER TABLE audit.entry_search DROP COLUMN words;

DROP INDEX audit.entry_search_by_ip, audit.entry_search_by_subject, audit.entry_search_by_words;
CREATE INDEX entry_search_by_ip ON audit.entry_search (ip, occurred_at, event_id) INCLUDE (outcome) WHERE ip IS NOT NULL;
CREATE INDEX entry_search_by_subject ON audit.entry_search (subject_sub, occurred_at, event_id) INCLUDE (outcome)
    WHERE subject_sub IS NOT NULL;
CREATE INDEX entry_search_by_words ON audit.entry_search (words_id, occurred_at, event_id) INCLUDE (outcome);

ALTER TABLE audit.leaves DROP CONSTRAINT leaves_pkey;
ALTER TABLE audit.leaves ADD PRIMARY KEY (event_id) INCLUDE (leaf_index);

CREATE INDEX seals_by_time ON audit.seals (sealed_at, tree_size);
