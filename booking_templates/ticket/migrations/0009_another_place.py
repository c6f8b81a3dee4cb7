from django.db import migrations, models


class Migration(migrations.Migration):
    """Where a performance was to be before it was moved."""

    dependencies = [("ticket", "0008_concessions")]

    operations = [
        migrations.AddField(model_name="move", name="venue", field=models.CharField(blank=True, db_default="", default="", max_length=200)),
    ]
