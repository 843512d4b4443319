-- phase: data
-- The text to search in, for tools that were stored before there was one.

UPDATE tools SET search_text = LOWER(name || char(1) || COALESCE(title, '') || char(2) || description)
WHERE search_text IS NULL;
