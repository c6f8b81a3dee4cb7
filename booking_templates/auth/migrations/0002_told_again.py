from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("auth", "0001_initial")]

    operations = [migrations.AddField("buyer", "told_again_at", models.DateTimeField(blank=True, null=True))]
