from django.db import migrations

from booking_templates.ticket.fields import ExactCharField


class Migration(migrations.Migration):
    """Seats and grades whose names differ by case or accent alone are two."""

    dependencies = [("ticket", "0002_fewer_indexes")]

    operations = [
        migrations.AlterField(model_name="ticket", name="live_seat", field=ExactCharField(max_length=100, null=True)),
        migrations.AlterField(model_name="ticket", name="grade", field=ExactCharField(blank=True, default="", max_length=100)),
    ]
