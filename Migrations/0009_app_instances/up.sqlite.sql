-- phase: expand
-- The servers that run, so that nothing is removed which one of them still uses. schema_level is the latest migration that
-- the program knows, seen_at the database's time of its last sign of life.

CREATE TABLE app_instances (
    id           TEXT NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    app_version  TEXT NOT NULL,
    schema_level INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX app_instances_seen_at ON app_instances (seen_at);
