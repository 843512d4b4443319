DROP INDEX tools_changed_at;
ALTER TABLE tools DROP COLUMN gone_at;
ALTER TABLE tools DROP COLUMN changed_at;
ALTER TABLE tools DROP COLUMN search_text;
ALTER TABLE tools DROP COLUMN icons;
