from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("systems", "0008_pauses")]

    operations = [
        migrations.AddField(model_name="bookingsystem", name="leaves_drift", field=models.BooleanField(db_default=False, default=False)),
    ]
