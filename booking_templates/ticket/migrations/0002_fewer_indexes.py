from django.db import migrations


class Migration(migrations.Migration):
    """Two indexes that a unique constraint's first column serves as well; each was written by every order."""

    dependencies = [("ticket", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="order", name="ticket_order_of_buyer"),
        migrations.RemoveIndex(model_name="ticket", name="ticket_of_performance"),
    ]
