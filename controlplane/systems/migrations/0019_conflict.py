from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("systems", "0018_caps")]

    operations = [migrations.AddField("bookingsystem", "conflict", models.JSONField(blank=True, null=True))]
