-- phase: expand
-- Encrypted tokens: what a user gave for a service, and what the registry itself sends to read a service's tools.
-- key_id repeats the envelope's own, so that the keys still in use can be counted.

CREATE TABLE user_tokens (
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    key_id     INTEGER NOT NULL,
    envelope   BLOB NOT NULL,
    rev        INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (service_id, user_id)
) STRICT;

CREATE INDEX user_tokens_user ON user_tokens (user_id);
CREATE INDEX user_tokens_key ON user_tokens (key_id);

CREATE TABLE discovery_credentials (
    service_id           TEXT NOT NULL PRIMARY KEY REFERENCES services (id) ON DELETE CASCADE,
    method_authorization TEXT NOT NULL,
    key_id               INTEGER NOT NULL,
    envelope             BLOB NOT NULL,
    rev                  INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL
) STRICT;

CREATE INDEX discovery_credentials_key ON discovery_credentials (key_id);

-- Which key each id stands for, by a value derived from it: two instances with different keys under one id would make
-- each other's tokens unreadable.
CREATE TABLE encryption_keys (
    id          INTEGER NOT NULL PRIMARY KEY,
    check_value BLOB NOT NULL,
    state       TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    retired_at  INTEGER NULL
) STRICT;
