-- phase: expand
-- One row for each change, written in the change's own transaction under the operation's id: so a change whose COMMIT
-- was cut off can be looked up, and is never made twice.

CREATE TABLE audit_log (
    operation_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at           BIGINT NOT NULL,
    actor        VARCHAR(255) NOT NULL,
    action       VARCHAR(64) NOT NULL,
    target       VARCHAR(1024) NOT NULL,
    PRIMARY KEY (operation_id),
    KEY audit_log_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
