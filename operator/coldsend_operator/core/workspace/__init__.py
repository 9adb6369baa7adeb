"""The state of one workspace: accounts, inventory, budget, breaker, brake, claims, queues, jobs."""
