from django.db import migrations, models


class Migration(migrations.Migration):
    """Whom buyers turn to."""

    dependencies = [("event", "0002_called_off")]

    operations = [migrations.AddField(model_name="content", name="organiser", field=models.JSONField(null=True))]
