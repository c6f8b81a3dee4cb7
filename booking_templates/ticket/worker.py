"""Passes of the ticket service."""

from booking_templates.kit.worker import Pass
from booking_templates.ticket import calling_off, looking_back, moves
from booking_templates.ticket.notices import courier
from booking_templates.ticket.saga import saga

PASSES = [
    Pass("recover", 1.0, saga.recover),
    Pass("called_off", 2.0, calling_off.refund_called_off),
    Pass("moved", 5.0, moves.tell),
    Pass("notices", 1.0, courier.bring),
    Pass("looking_back", looking_back.EVERY_S, looking_back.looking_back.look),
]
