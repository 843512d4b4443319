-- phase: expand
-- How fresh what is known of a service is, and how its tools' definitions have changed.
--
-- services.next_read is when the service is to be read again, and the lease of whoever reads it: an instance takes a
-- service by moving it into the future. tools.changed_at is since when a change waits for approval, tools.gone_at since when
-- the service no longer offers the tool. tools.search_text is name, U+0001, title, U+0002 and description in lower case.
-- tool_definitions has all definitions of tools that have changed, as they came.

ALTER TABLE services ADD COLUMN transport TEXT NOT NULL DEFAULT 'streamable_http';
ALTER TABLE services ADD COLUMN last_seen INTEGER NULL;
ALTER TABLE services ADD COLUMN last_error TEXT NULL;
ALTER TABLE services ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN next_read INTEGER NOT NULL DEFAULT 0;

CREATE INDEX services_next_read ON services (next_read);

ALTER TABLE tools ADD COLUMN icons TEXT NULL;
ALTER TABLE tools ADD COLUMN search_text TEXT NULL;
ALTER TABLE tools ADD COLUMN changed_at INTEGER NULL;
ALTER TABLE tools ADD COLUMN gone_at INTEGER NULL;

CREATE INDEX tools_changed_at ON tools (changed_at);

UPDATE tools SET search_text = LOWER(name || char(1) || COALESCE(title, '') || char(2) || description);

CREATE TABLE tool_definitions (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tool_id       INTEGER NOT NULL REFERENCES tools (id) ON DELETE CASCADE,
    sha256        BLOB NOT NULL,
    title         TEXT NULL,
    description   TEXT NOT NULL,
    input_schema  TEXT NOT NULL,
    output_schema TEXT NULL,
    annotations   TEXT NULL,
    icons         TEXT NULL,
    recorded_at   INTEGER NOT NULL,
    approved_at   INTEGER NULL,
    approved_by   TEXT NULL
) STRICT;

CREATE INDEX tool_definitions_tool ON tool_definitions (tool_id, id);
