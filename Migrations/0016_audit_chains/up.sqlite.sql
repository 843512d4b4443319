-- phase: expand
-- Each server writes its audit rows as links of chains: a row's digest covers the row and the digest before it, and the head of the
-- chain says how long it is, so that a row which is changed or removed shows. Rows from before have no chain.

CREATE TABLE audit_chains (
    id         TEXT NOT NULL PRIMARY KEY,
    started_at INTEGER NOT NULL,
    length     INTEGER NOT NULL,
    digest     TEXT NOT NULL
) STRICT;

ALTER TABLE audit_log ADD COLUMN outcome TEXT;
ALTER TABLE audit_log ADD COLUMN request_id TEXT;
ALTER TABLE audit_log ADD COLUMN chain TEXT;
ALTER TABLE audit_log ADD COLUMN position INTEGER;
ALTER TABLE audit_log ADD COLUMN digest TEXT;

CREATE INDEX audit_log_chain ON audit_log (chain, position);
