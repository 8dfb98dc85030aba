"""The rules, a module a family; `catalogue.RULES` has them all once every family is imported (`rules.families`)."""
