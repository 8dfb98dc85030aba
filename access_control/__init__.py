"""Who may see and do what: people, tiers, projects, datasets, agreements, the Casbin model and the audit log."""
