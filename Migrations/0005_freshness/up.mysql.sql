-- phase: expand
-- How fresh what is known of a service is, and how its tools' definitions have changed.
--
-- services.next_read is when the service is to be read again, and the lease of whoever reads it: an instance takes a
-- service by moving it into the future. tools.changed_at is since when a change waits for approval, tools.gone_at since when
-- the service no longer offers the tool. tools.search_text is name, U+0001, title, U+0002 and description in lower case.
-- tool_definitions has all definitions of tools that have changed, as they came.

ALTER TABLE services
    ADD COLUMN transport  VARCHAR(32) NOT NULL DEFAULT 'streamable_http',
    ADD COLUMN last_seen  BIGINT NULL,
    ADD COLUMN last_error VARCHAR(1024) NULL,
    ADD COLUMN failures   BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN next_read  BIGINT NOT NULL DEFAULT 0,
    ADD KEY services_next_read (next_read);

ALTER TABLE tools
    ADD COLUMN icons       MEDIUMTEXT NULL,
    ADD COLUMN search_text MEDIUMTEXT NULL,
    ADD COLUMN changed_at  BIGINT NULL,
    ADD COLUMN gone_at     BIGINT NULL,
    ADD KEY tools_changed_at (changed_at);

UPDATE tools SET search_text =
    LOWER(CONCAT(name, CHAR(1 USING utf8mb4), COALESCE(title, ''), CHAR(2 USING utf8mb4), description));

CREATE TABLE tool_definitions (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    tool_id       BIGINT NOT NULL,
    sha256        BINARY(32) NOT NULL,
    title         MEDIUMTEXT NULL,
    description   MEDIUMTEXT NOT NULL,
    input_schema  MEDIUMTEXT NOT NULL,
    output_schema MEDIUMTEXT NULL,
    annotations   MEDIUMTEXT NULL,
    icons         MEDIUMTEXT NULL,
    recorded_at   BIGINT NOT NULL,
    approved_at   BIGINT NULL,
    approved_by   VARCHAR(255) NULL,
    PRIMARY KEY (id),
    KEY tool_definitions_tool (tool_id, id),
    CONSTRAINT tool_definitions_tool FOREIGN KEY (tool_id) REFERENCES tools (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
