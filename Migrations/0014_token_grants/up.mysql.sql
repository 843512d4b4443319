-- phase: expand
-- Which callers may be given a user's token for a service, by their names in the audit log. A grant ends with its token.

CREATE TABLE token_grants (
    service_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id    VARCHAR(255) NOT NULL,
    agent      VARCHAR(255) NOT NULL,
    granted_by VARCHAR(255) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (service_id, user_id, agent),
    CONSTRAINT token_grants_token FOREIGN KEY (service_id, user_id) REFERENCES user_tokens (service_id, user_id)
        ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
