from django.db import migrations, models


class Migration(migrations.Migration):
    """A ledger also has what other hands gave back at the provider."""

    dependencies = [("merch", "0004_refunds_by_hand")]

    operations = [
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(choices=[("capture", "Capture"), ("refund", "Refund"), ("outside", "Outside")], max_length=7),
        ),
    ]
