-- phase: expand
-- The ids of the keys that a server's key ring holds, separated by blanks: a key is made the active one only when every server has it.

ALTER TABLE app_instances ADD COLUMN ring_ids TEXT NULL;
