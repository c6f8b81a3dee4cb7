from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("systems", "0012_data_marks")]

    operations = [
        migrations.AddField(model_name="bookingsystem", name="poster", field=models.JSONField(blank=True, null=True)),
    ]
