import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What the organiser gave back of the money that was taken at the door."""

    dependencies = [("ticket", "0017_decided_at_the_door")]

    operations = [
        migrations.AddField(
            model_name="doorpayment",
            name="staff",
            field=models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
        migrations.AddField(
            model_name="doorpayment",
            name="gives_back",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="given_back", to="ticket.doorpayment"
            ),
        ),
        migrations.AddField(
            model_name="refundbyhand",
            name="at_door_krw",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
