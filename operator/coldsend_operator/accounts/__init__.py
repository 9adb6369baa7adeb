"""SenderAccount: its controller, the loop of each workspace, calls, finalizers, status, bookings."""
