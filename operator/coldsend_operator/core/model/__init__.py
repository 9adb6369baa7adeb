"""The model of an account, a call, a response; reasons and policy. No decisions."""
