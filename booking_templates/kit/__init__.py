"""Mechanisms that the booking services share: settings, endpoints, tokens, peers, health, metrics, logs, outbox. No domain words."""
