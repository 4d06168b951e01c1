"""
Fill a log with N entries of the last 30 days, inside the database: the same columns that the consumer fills, events that
decode, leaf hashes that fit. Only the tree over them is left out: no question is answered from it.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import asyncpg

DAYS: Final = 30
EVENTS_EACH: Final = 100
CHUNK: Final = 250_000
# One person in `BUSY_EVERY` entries: an account that a script uses.
BUSY_EVERY: Final = 400

_PARTITIONED: Final = ("entries", "entry_search", "leaves")

_INDEXES: Final = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made_by
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
WHERE c.relnamespace = 'audit'::regnamespace AND c.relname = ANY ($1::text[]) AND NOT i.indisprimary ORDER BY 1
"""

# What differs little is made once and joined: so many of each hundred entries are of a kind, and `part` is what its events say.
_KINDS: Final = """
CREATE TEMP TABLE kinds AS
SELECT row_number() OVER () - 1 AS place, k.*, format(
    '"event_type":"%s","outcome":"%s",%s%s"http":{"method":"POST","route":"%s","status":200},',
    event_type, outcome, '"reason":"' || reason || '",',
    '"authsignal":{"action":"signIn","state":"' || state || '","method":"' || method || '"},', route) AS part
FROM (VALUES
    (22, 'sign_in.started', 'success', NULL, NULL, NULL, '/v1/sign-ins'),
    (20, 'challenge.sent', 'success', 'EMAIL_OTP', 'CHALLENGE_REQUIRED', NULL, '/v1/attempts/{id}/challenges'),
    (14, 'challenge.verified', 'success', 'EMAIL_OTP', 'CHALLENGE_SUCCEEDED', NULL, '/v1/attempts/{id}/verifications'),
    (15, 'sign_in.succeeded', 'success', 'PASSKEY', 'ALLOW', NULL, '/v1/sign-ins/passkey'),
    (15, 'session.created', 'success', NULL, NULL, NULL, '/v1/sign-ins/passkey'),
    (6, 'sign_in.failed', 'failure', 'EMAIL_OTP', 'CHALLENGE_FAILED', 'wrong_code', '/v1/attempts/{id}/verifications'),
    (3, 'step_up.succeeded', 'success', 'PUSH', 'CHALLENGE_SUCCEEDED', NULL, '/v1/step-ups/{id}/completions'),
    (3, 'session.ended', 'success', NULL, NULL, NULL, '/v1/session'),
    (1, 'abuse.rate_limited', 'denied', NULL, NULL, 'identifier', '/v1/sign-ins'),
    (1, 'sign_in.blocked', 'denied', 'SMS', 'BLOCK', 'rule', '/v1/sign-ins')
) AS k (share, event_type, outcome, method, state, reason, route), generate_series(1, k.share)
"""

# The last agent is a rare one.
_AGENTS: Final = """
CREATE TEMP TABLE agents AS
SELECT agent, country, CASE WHEN agent = 59 THEN 'curl/8.14.1' WHEN agent % 3 = 0 THEN format(
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_%s like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.%s '
    'Mobile/15E148 Safari/604.1', agent % 7, agent % 7)
ELSE format('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%s.0.0.0 Safari/537.36',
    100 + agent) END AS user_agent
FROM generate_series(0, 59) AS agent, unnest(ARRAY['DE', 'FR', 'US', 'GB', 'NL', 'PL', 'BR', 'JP']) AS country
"""

_SHAPES: Final = """
CREATE TEMP TABLE shapes AS
SELECT *, encode(substr(sha256(convert_to(words, 'UTF8')), 1, 16), 'hex')::uuid AS words_id FROM (
    SELECT k.place, a.agent, a.country, k.event_type, k.outcome, k.method, k.state, k.reason, k.route, k.part, a.user_agent,
        lower(concat_ws(' ', event_type, reason, user_agent, country, 'signIn', method, state, route)) AS words
    FROM kinds AS k CROSS JOIN agents AS a) AS made;
INSERT INTO audit.known_words (words_id, words) SELECT DISTINCT words_id, words FROM shapes;
"""

_FILL: Final = """
WITH drawn AS MATERIALIZED (
    SELECT n, $4::timestamptz + n * $5::interval AS occurred_at, abs(hashint8(n + 1000000007)::bigint) AS luck,
        CASE WHEN n % $7 = 0 THEN 0 ELSE abs(hashint8(n)::bigint) % $6 END AS person
    FROM generate_series($1::bigint, $2::bigint) AS n
), named AS MATERIALIZED (
    SELECT *, (lpad(to_hex((extract(epoch FROM occurred_at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n & 4095), 3, '0')
            || '8' || lpad(to_hex(n), 15, '0'))::uuid AS event_id,
        '3f2b0c9a-0000-4000-8000-' || lpad(to_hex(person), 12, '0') AS sub,
        lpad(to_hex(person), 64, '0') AS email_hash,
        '10.' || person % 200 || '.' || person / 200 % 250 || '.' || 1 + luck % 4 AS ip,
        (ARRAY['DE', 'FR', 'US', 'GB', 'NL', 'PL', 'BR', 'JP'])[1 + person % 8] AS country,
        md5('r' || n / 2) AS request_id, md5('a' || n / 5) AS attempt_id, md5('d' || person) AS device_id,
        md5('s' || person || '.' || n / 1000000) AS session_ref, CASE WHEN n % 100000 = 7 THEN 59 ELSE person % 59 END AS agent
    FROM drawn
), written AS MATERIALIZED (
    SELECT n.*, s.event_type, s.outcome, s.method, s.state, s.reason, s.route, s.user_agent, s.words, s.words_id,
        convert_to('{"event_id":"' || event_id || '","schema_version":1,"occurred_at":"'
        || to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","producer":{"service":"gateway","instance":"' || $3::uuid || '","seq":' || n.n || '},"salt":"'
        || md5(n.n::text) || '",' || s.part || '"request_id":"' || request_id
        || '","attempt_id":"' || attempt_id || '","session_ref":"' || session_ref || '","subject":{"sub":"' || sub
        || '","email_hash":"' || email_hash || '"},"client":{"ip":"' || ip || '","user_agent":"' || s.user_agent
        || '","device_id":"' || device_id || '","country":"' || n.country || '"}}', 'UTF8') AS entry
    FROM named AS n JOIN shapes AS s ON s.place = n.luck % 100 AND s.agent = n.agent AND s.country = n.country
), kept AS (
    INSERT INTO audit.entries (event_id, entry, leaf_hash)
    SELECT event_id, entry, sha256('\\x00'::bytea || entry) FROM written
), found AS (
    INSERT INTO audit.entry_search (event_id, occurred_at, event_type, outcome, service, instance, seq, request_id, attempt_id,
        session_ref, subject_sub, email_hash, ip, method, state, words, reason, country, device_id, user_agent, action, route,
        status, words_id)
    SELECT event_id, occurred_at, event_type, outcome, 'gateway', $3::uuid, n, request_id, attempt_id, session_ref, sub,
        decode(email_hash, 'hex'), ip::inet, method, state, words, reason, country, device_id, user_agent,
        CASE WHEN state IS NOT NULL THEN 'signIn' END, route, 200, words_id
    FROM written
)
INSERT INTO audit.leaves (leaf_index, event_id) SELECT n, event_id FROM written
"""

_SEAL: Final = """
INSERT INTO audit.seals (tree_size, previous_size, root_hash, note, through_xid, through_id)
SELECT size, before, sha256(size::text::bytea), '', last.recorded_xid, last.event_id
FROM (VALUES (0::bigint, NULL::bigint), ($1::bigint, 0::bigint)) AS made (size, before), (
    SELECT recorded_xid, event_id FROM audit.entries ORDER BY recorded_xid DESC, event_id DESC LIMIT 1) AS last
"""

INSTANCE: Final = "0f1e2d3c-0000-4000-8000-000000000000"


async def fill(connection: Any, entries: int, say: Callable[[str], None]) -> None:
    """
    Fill an empty, migrated log; connects as the owner. Ten million take some minutes, most of it the indexes.

    Args:
        connection: Of the role ``countersign_owner``.
        entries: How many; spread evenly over the last `DAYS` days.
        say: Told what is under way.
    """
    await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '128MB'")
    await connection.execute("SET statement_timeout = 0")
    indexes = await connection.fetch(_INDEXES, list(_PARTITIONED))
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    await connection.execute(_KINDS)
    await connection.execute(_AGENTS)
    await connection.execute(_SHAPES)
    await connection.execute("ANALYZE shapes")
    await _fill(connection, entries, say)
    for index in indexes:
        say(f"index {index['name']}")
        await connection.execute(index["made_by"].replace("ON ONLY ", "ON "))
    await connection.execute(_SEAL, entries)
    say("vacuum")
    await connection.execute("VACUUM (ANALYZE, FREEZE) audit.entries, audit.entry_search, audit.leaves, audit.known_words")


async def _fill(connection: Any, entries: int, say: Callable[[str], None]) -> None:
    began = await connection.fetchval("SELECT date_trunc('hour', now()) - make_interval(days => $1)", DAYS)
    step = await connection.fetchval("SELECT make_interval(days => $1) / $2::float8", DAYS, entries)
    started = time.monotonic()
    for first in range(0, entries, CHUNK):
        last = min(first + CHUNK, entries) - 1
        await connection.execute(_FILL, first, last, INSTANCE, began, step, max(2, entries // EVENTS_EACH), BUSY_EVERY)
        say(f"{last + 1:,} entries, {(last + 1) / (time.monotonic() - started):,.0f}/s")


async def count(connection: Any) -> int:
    """Return how many entries a log that `fill` made holds; 0 for one that is not filled, or was not to the end."""
    try:
        filled: int = await connection.fetchval("SELECT coalesce(max(tree_size), 0) FROM audit.seals")
    except asyncpg.UndefinedTableError:
        return 0
    return filled
