"""Advice on what to try next: rules, growth, milestones and budgets."""
