-- phase: expand
-- All definitions of tools that have changed, as they came.

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
