-- phase: expand
-- The rows of one request are looked for by the id that its answer and the log name.

CREATE INDEX audit_log_request ON audit_log (request_id);
