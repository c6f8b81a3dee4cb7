from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("systems", "0007_kept_things")]

    operations = [
        migrations.AddField(model_name="operation", name="paused_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="operation", name="paused_s", field=models.PositiveIntegerField(db_default=0, default=0)),
    ]
