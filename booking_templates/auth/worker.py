"""What the auth service does beside answering: forgets what is over, and whom, and sends mail."""

from django.conf import settings

from booking_templates.auth import accounts, letters, resets, sessions, throttle
from booking_templates.kit.worker import Pass

PASSES = [
    Pass("sessions", 600, sessions.forget_old),
    Pass("throttle", 600, throttle.forget_old),
    Pass("resets", 600, resets.forget_old),
    Pass("closed", accounts.AGAIN_EVERY_S, accounts.erase_again),
    Pass("letters", 600, letters.forget_old),
    *([Pass("mail", 2, resets.send_due), Pass("letters_due", 1, letters.send_due)] if settings.SENDS_MAIL else []),
]
