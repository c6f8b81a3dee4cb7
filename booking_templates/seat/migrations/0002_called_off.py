from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("seat", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="performance",
            name="called_off_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="EndedHold",
            fields=[("hold", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
    ]
