DROP TABLE encryption_keys;
DROP TABLE discovery_credentials;
DROP TABLE user_tokens;
