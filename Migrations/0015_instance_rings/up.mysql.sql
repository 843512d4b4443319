-- phase: expand
-- The ids of the keys that a server's key ring holds, separated by blanks: a key is made the active one only when every server has it.

ALTER TABLE app_instances ADD COLUMN ring_ids VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NULL, ALGORITHM=INSTANT;
