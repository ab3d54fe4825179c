"""A transport over any other that seals what goes through it (FORMAT.md, "The encrypted store")."""
