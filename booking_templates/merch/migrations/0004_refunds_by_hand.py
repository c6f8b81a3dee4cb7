import django.db.models.deletion
from django.db import migrations, models

import booking_templates.payments.ids

WHYS = ("charged_twice", "fault", "missing", "goodwill", "other")


class Migration(migrations.Migration):
    """What organisers give back of their own accord."""

    dependencies = [("merch", "0003_notices")]

    operations = [
        migrations.CreateModel(
            name="RefundByHand",
            fields=[
                ("id", models.CharField(default=booking_templates.payments.ids.new_id, max_length=36, primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=64, null=True)),
                ("asked", models.CharField(max_length=64)),
                ("staff", models.CharField(max_length=80)),
                ("why", models.CharField(choices=[(why, why.replace("_", " ").title()) for why in WHYS], max_length=20)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("with_picked_up", models.BooleanField()),
                ("pieces", models.JSONField(default=dict)),
                ("price_krw", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "order",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="refunds_by_hand", to="merch.order"),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="by_hand", to="merch.orderrefund"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("order", "key"), name="merch_refund_by_hand_once_a_key")],
            },
        ),
    ]
