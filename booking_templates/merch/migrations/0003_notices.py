from django.db import migrations, models

import booking_templates.payments.ids

KINDS = ("confirmed", "given_back", "called_off", "undelivered", "unpaid", "moved")


class Migration(migrations.Migration):
    """What buyers are told by mail, and in which language."""

    dependencies = [("merch", "0002_withdrawn_tickets")]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.CharField(default=booking_templates.payments.ids.new_id, max_length=36, primary_key=True, serialize=False),
                ),
                ("order_id", models.CharField(max_length=36)),
                ("kind", models.CharField(choices=[(kind, kind.replace("_", " ").title()) for kind in KINDS], max_length=12)),
                ("refund_id", models.CharField(blank=True, default="", max_length=36)),
                ("details", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="order",
            name="language",
            field=models.CharField(blank=True, db_default="", default="", max_length=5),
        ),
    ]
