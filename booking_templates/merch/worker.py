"""Passes of the merch service."""

from booking_templates.kit.worker import Pass
from booking_templates.merch.saga import saga

PASSES = [Pass("recover", 1.0, saga.recover)]
