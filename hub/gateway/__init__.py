"""The gateway: the only way between a browser and a session's container; it trusts neither."""
