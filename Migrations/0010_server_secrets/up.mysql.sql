-- phase: expand
-- What the servers keep secret among themselves, each sealed with a key of the key ring; such as what API keys are hashed with.

CREATE TABLE server_secrets (
    name       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    key_id     BIGINT NOT NULL,
    envelope   MEDIUMBLOB NOT NULL,
    rev        BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (name),
    KEY server_secrets_key (key_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
