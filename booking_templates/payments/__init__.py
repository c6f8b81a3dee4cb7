"""Paying for an order, shared by ticket and merch: the provider port, its adapters, and the saga that an order goes through."""
