from django.db import migrations, models


class Migration(migrations.Migration):
    """What a scanner's own clock said."""

    dependencies = [("ticket", "0003_names_to_the_letter")]

    operations = [migrations.AddField(model_name="ticket", name="scanned_at", field=models.DateTimeField(null=True))]
