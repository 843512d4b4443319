DROP TABLE tool_definitions;
