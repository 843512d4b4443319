-- phase: expand
-- Work that one of all servers does for the others: who does it, and until when it is its own to do.

CREATE TABLE leases (
    name       TEXT NOT NULL PRIMARY KEY,
    owner      TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
