"""Azure Policy, locks, logs and budgets."""
