from django.db import migrations, models

import booking_templates.ticket.fields


class Migration(migrations.Migration):
    """Concessions: what is offered, what a buyer chose, and what a ticket was sold with."""

    dependencies = [("ticket", "0007_notices")]

    operations = [
        migrations.AddField(model_name="event", name="concessions", field=models.JSONField(null=True)),
        migrations.AddField(model_name="order", name="chosen", field=models.JSONField(null=True)),
        migrations.AddField(model_name="ticket", name="full_price_krw", field=models.PositiveIntegerField(null=True)),
        migrations.AddField(
            model_name="ticket",
            name="concession",
            field=booking_templates.ticket.fields.ExactCharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="ticket",
            name="concession_id",
            field=booking_templates.ticket.fields.ExactCharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="ticket",
            name="proof",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
    ]
