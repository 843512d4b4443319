ALTER TABLE app_instances DROP COLUMN ring_ids;
