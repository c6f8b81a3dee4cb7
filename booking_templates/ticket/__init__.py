"""Orders, payments, tickets, refunds and attendees of one event."""
