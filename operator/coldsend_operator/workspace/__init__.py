"""The loop of each workspace: wake, plan, call, fold, write. Here decisions meet the outside world."""
