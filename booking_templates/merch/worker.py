"""Passes of the merch service."""

from booking_templates.kit.worker import Pass
from booking_templates.merch import calling_off
from booking_templates.merch.notices import courier
from booking_templates.merch.saga import saga

PASSES = [
    Pass("recover", 1.0, saga.recover),
    Pass("called_off", 2.0, calling_off.take_back),
    Pass("notices", 1.0, courier.bring),
]
