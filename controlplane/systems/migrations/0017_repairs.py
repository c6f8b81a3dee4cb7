from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("systems", "0014_people")]

    operations = [
        migrations.AddField("bookingsystem", "repairs", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField("bookingsystem", "not_before", models.DateTimeField(null=True)),
    ]
