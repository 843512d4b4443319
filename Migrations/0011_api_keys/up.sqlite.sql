-- phase: expand
-- Keys of programs that call the registry. The key itself is stored nowhere: secret_hash is HMAC-SHA256 over it under the secret
-- 'api-keys' of server_secrets. user_id is whom the program acts for, when it is one user only.

CREATE TABLE api_keys (
    id           TEXT NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    secret_hash  BLOB NOT NULL,
    scopes       TEXT NOT NULL,
    user_id      TEXT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER NULL,
    revoked_at   INTEGER NULL,
    last_used_at INTEGER NULL
) STRICT;
