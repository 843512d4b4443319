-- phase: expand
-- changed_at is since when a change of the tool waits for approval, gone_at since when its service no longer offers it.
-- search_text is name, U+0001, title, U+0002 and description in lower case.

ALTER TABLE tools ADD COLUMN icons TEXT NULL;
ALTER TABLE tools ADD COLUMN search_text TEXT NULL;
ALTER TABLE tools ADD COLUMN changed_at INTEGER NULL;
ALTER TABLE tools ADD COLUMN gone_at INTEGER NULL;

CREATE INDEX tools_changed_at ON tools (changed_at);
