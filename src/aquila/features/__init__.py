"""Features: one area of staff work in one folder, each a table of views, rules, queries and commands."""
