"""`report-bundle`: what a bug report needs, without Secrets, and without addresses unless requested."""
