from django.apps import AppConfig


class SeatConfig(AppConfig):
    name = "booking_templates.seat"
    label = "seat"
