"""Products of one event, their stock, and orders of them."""
