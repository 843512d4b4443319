-- phase: expand
-- One row for each change, written in the change's own transaction under the operation's id: so a change whose COMMIT
-- was cut off can be looked up, and is never made twice.

CREATE TABLE audit_log (
    operation_id TEXT NOT NULL PRIMARY KEY,
    at           INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    action       TEXT NOT NULL,
    target       TEXT NOT NULL
) STRICT;

CREATE INDEX audit_log_at ON audit_log (at);
