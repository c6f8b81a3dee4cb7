from django.db import migrations, models


class Migration(migrations.Migration):
    """A ledger also has what other hands gave back at the provider."""

    dependencies = [("ticket", "0010_paid_at_the_door")]

    operations = [
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(choices=[("capture", "Capture"), ("refund", "Refund"), ("outside", "Outside")], max_length=7),
        ),
    ]
