import django.db.models.deletion
from django.db import migrations, models

import booking_templates.payments.ids


class Migration(migrations.Migration):
    """What organisers give back of their own accord."""

    dependencies = [("ticket", "0005_what_was_told")]

    operations = [
        migrations.CreateModel(
            name="RefundByHand",
            fields=[
                ("id", models.CharField(default=booking_templates.payments.ids.new_id, max_length=36, primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=64, null=True)),
                ("asked", models.CharField(max_length=64)),
                ("staff", models.CharField(max_length=80)),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("illness", "Illness"),
                            ("charged_twice", "Charged Twice"),
                            ("place", "Place"),
                            ("goodwill", "Goodwill"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("in_full", models.BooleanField()),
                ("with_used", models.BooleanField()),
                ("tickets", models.JSONField(default=list)),
                ("price_krw", models.PositiveIntegerField()),
                ("fee_krw", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "order",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="refunds_by_hand", to="ticket.order"),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="by_hand", to="ticket.orderrefund"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("order", "key"), name="ticket_refund_by_hand_once_a_key")],
            },
        ),
    ]
