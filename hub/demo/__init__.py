"""The demo's world: people, projects, agreements, and public datasets of two owners and three tiers."""
