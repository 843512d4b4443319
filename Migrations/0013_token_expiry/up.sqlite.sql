-- phase: expand
-- From when on a user's token is not given out any more; NULL for never.

ALTER TABLE user_tokens ADD COLUMN expires_at INTEGER NULL;
