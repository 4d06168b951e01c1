-- countersign_clerk keeps what people make around the log: saved searches, holds, alerts, exports. Each table that it may
-- write grants that itself; of the log it can change nothing.

GRANT USAGE ON SCHEMA audit TO countersign_clerk;
GRANT SELECT ON audit.migrations TO countersign_clerk;
