-- phase: expand
-- Encrypted tokens: what a user gave for a service, and what the registry itself sends to read a service's tools.
-- key_id repeats the envelope's own, so that the keys still in use can be counted.

CREATE TABLE user_tokens (
    service_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id    VARCHAR(255) NOT NULL,
    key_id     BIGINT NOT NULL,
    envelope   MEDIUMBLOB NOT NULL,
    rev        BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (service_id, user_id),
    KEY user_tokens_user (user_id),
    KEY user_tokens_key (key_id),
    CONSTRAINT user_tokens_service FOREIGN KEY (service_id) REFERENCES services (id) ON DELETE CASCADE,
    CONSTRAINT user_tokens_user FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE discovery_credentials (
    service_id           CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    method_authorization VARCHAR(32) NOT NULL,
    key_id               BIGINT NOT NULL,
    envelope             MEDIUMBLOB NOT NULL,
    rev                  BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    PRIMARY KEY (service_id),
    KEY discovery_credentials_key (key_id),
    CONSTRAINT discovery_credentials_service FOREIGN KEY (service_id) REFERENCES services (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which key each id stands for, by a value derived from it: two instances with different keys under one id would make
-- each other's tokens unreadable.
CREATE TABLE encryption_keys (
    id          BIGINT NOT NULL,
    check_value VARBINARY(16) NOT NULL,
    state       VARCHAR(32) NOT NULL,
    first_seen  BIGINT NOT NULL,
    retired_at  BIGINT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
