"""What to try next: advice, growth, milestones and budgets."""
