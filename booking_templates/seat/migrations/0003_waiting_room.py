from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("seat", "0002_called_off")]

    operations = [
        migrations.CreateModel(
            name="Room",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("given", models.BigIntegerField(default=0)),
                ("level", models.BigIntegerField(default=0)),
                ("at_ms", models.BigIntegerField(default=0)),
                ("per_minute", models.PositiveIntegerField(null=True)),
                ("is_paused", models.BooleanField(default=False)),
                ("queued_until_ms", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Pass",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("buyer", models.CharField(max_length=64)),
                ("expires_ms", models.BigIntegerField(db_index=True)),
            ],
        ),
    ]
