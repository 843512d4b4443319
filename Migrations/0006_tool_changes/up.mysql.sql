-- phase: expand
-- changed_at is since when a change of the tool waits for approval, gone_at since when its service no longer offers it.
-- search_text is name, U+0001, title, U+0002 and description in lower case.

ALTER TABLE tools
    ADD COLUMN icons       MEDIUMTEXT NULL,
    ADD COLUMN search_text MEDIUMTEXT NULL,
    ADD COLUMN changed_at  BIGINT NULL,
    ADD COLUMN gone_at     BIGINT NULL,
    ALGORITHM=INSTANT;

CREATE INDEX tools_changed_at ON tools (changed_at);
