DROP INDEX tools_changed_at ON tools;
ALTER TABLE tools
    DROP COLUMN gone_at,
    DROP COLUMN changed_at,
    DROP COLUMN search_text,
    DROP COLUMN icons;
