-- phase: expand
-- Each server writes its audit rows as links of chains: a row's digest covers the row and the digest before it, and the head of the
-- chain says how long it is, so that a row which is changed or removed shows. Rows from before have no chain.

CREATE TABLE audit_chains (
    id         CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    started_at BIGINT NOT NULL,
    length     BIGINT NOT NULL,
    digest     CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

ALTER TABLE audit_log
    ADD COLUMN outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN chain CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN position BIGINT NULL,
    ADD COLUMN digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ALGORITHM=INSTANT;

CREATE INDEX audit_log_chain ON audit_log (chain, position);
