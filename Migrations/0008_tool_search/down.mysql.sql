UPDATE tools SET search_text = NULL;
