"""Seating plan, availability, holds and sold seats of one booking system."""
