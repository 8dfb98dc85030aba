"""How an output leaves, and how files come in: snapshot, checks, reviews and release."""
