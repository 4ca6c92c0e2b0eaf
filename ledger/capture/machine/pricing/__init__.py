"""What a run cost: catalogue of prices, rows of the policy, energy and carbon."""
