-- phase: expand
-- What was asked and answered under a caller's Idempotency-Key, written in the transaction of the change, so that the same request sent
-- again is answered the same and done once. Neither key nor request can be read from it.

CREATE TABLE idempotency_keys (
    id             CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    request_sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    error_code     VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
    answer         MEDIUMTEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
