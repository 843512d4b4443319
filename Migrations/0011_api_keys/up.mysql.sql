-- phase: expand
-- Keys of programs that call the registry. The key itself is stored nowhere: secret_hash is HMAC-SHA256 over it under the secret
-- 'api-keys' of server_secrets. user_id is whom the program acts for, when it is one user only.

CREATE TABLE api_keys (
    id           CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name         VARCHAR(255) NOT NULL,
    secret_hash  VARBINARY(32) NOT NULL,
    scopes       VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id      VARCHAR(255) NULL,
    created_at   BIGINT NOT NULL,
    created_by   VARCHAR(255) NOT NULL,
    expires_at   BIGINT NULL,
    revoked_at   BIGINT NULL,
    last_used_at BIGINT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY api_keys_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
