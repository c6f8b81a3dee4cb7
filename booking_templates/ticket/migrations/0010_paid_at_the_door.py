import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What was paid at the door."""

    dependencies = [("ticket", "0009_another_place")]

    operations = [
        migrations.AddField(model_name="ticket", name="paid_at_door_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="ticket",
            name="paid_at_door_with",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.CreateModel(
            name="DoorPayment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scanner", models.CharField(max_length=100)),
                ("told_at", models.DateTimeField()),
                ("is_paid", models.BooleanField()),
                ("has_changed", models.BooleanField()),
                ("amount_krw", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "ticket",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="door_payments", to="ticket.ticket"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("ticket", "scanner", "told_at", "is_paid"), name="ticket_door_payment_once")
                ]
            },
        ),
    ]
