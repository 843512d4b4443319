ALTER TABLE user_tokens DROP COLUMN expires_at;
