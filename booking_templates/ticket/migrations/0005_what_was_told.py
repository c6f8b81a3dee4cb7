from django.db import migrations, models


class Migration(migrations.Migration):
    """What a buyer was told of cancelling, beside the policy."""

    dependencies = [("ticket", "0004_scanned_at")]

    operations = [migrations.AddField(model_name="order", name="told", field=models.JSONField(null=True))]
