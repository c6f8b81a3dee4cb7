import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who was let in without the network with a ticket that was used or cancelled."""

    dependencies = [("ticket", "0011_given_back_outside")]

    operations = [
        migrations.CreateModel(
            name="DoorConflict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scanner", models.CharField(max_length=100)),
                ("told_at", models.DateTimeField()),
                ("kind", models.CharField(choices=[("used", "Used"), ("cancelled", "Cancelled")], max_length=9)),
                ("first_at", models.DateTimeField(null=True)),
                ("first_with", models.CharField(blank=True, default="", max_length=100)),
                ("at", models.DateTimeField()),
                (
                    "ticket",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="door_conflicts", to="ticket.ticket"),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("ticket", "scanner", "told_at"), name="ticket_door_conflict_once")]},
        ),
    ]
