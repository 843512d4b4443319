-- phase: data
-- The text to search in, for tools that were stored before there was one.

UPDATE tools SET search_text =
    LOWER(CONCAT(name, CHAR(1 USING utf8mb4), COALESCE(title, ''), CHAR(2 USING utf8mb4), description))
WHERE search_text IS NULL;
