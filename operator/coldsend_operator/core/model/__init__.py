"""What is known of an account, a call, an answer; reasons and policy. Nothing here decides."""
