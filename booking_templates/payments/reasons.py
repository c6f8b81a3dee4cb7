"""Why an order ended or something of it was given back, beside the problem codes of what could not be delivered."""

BUYER = "buyer"
BY_ORGANISER = "organiser"
CALLED_OFF = "performance_called_off"
EXPIRED = "expired"
PAYMENT_FAILED = "payment_failed"
STALLED = "stalled"
