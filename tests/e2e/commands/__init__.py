"""Every command as people have it: from a wheel, on a real API server, beside an operator that runs."""
