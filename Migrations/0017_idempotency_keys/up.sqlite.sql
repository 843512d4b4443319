-- phase: expand
-- What was asked and answered under a caller's Idempotency-Key, written in the transaction of the change, so that the same request sent
-- again is answered the same and done once. Neither key nor request can be read from it.

CREATE TABLE idempotency_keys (
    id             TEXT NOT NULL PRIMARY KEY,
    request_sha256 TEXT NOT NULL,
    error_code     TEXT,
    answer         TEXT NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
