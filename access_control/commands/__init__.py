"""The commands of access control, a module a group."""
