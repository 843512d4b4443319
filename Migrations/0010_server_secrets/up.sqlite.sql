-- phase: expand
-- What the servers keep secret among themselves, each sealed with a key of the key ring; such as what API keys are hashed with.

CREATE TABLE server_secrets (
    name       TEXT NOT NULL PRIMARY KEY,
    key_id     INTEGER NOT NULL,
    envelope   BLOB NOT NULL,
    rev        INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX server_secrets_key ON server_secrets (key_id);
