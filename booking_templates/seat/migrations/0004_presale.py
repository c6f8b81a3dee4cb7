from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("seat", "0003_waiting_room")]

    operations = [
        migrations.AddField("content", "presale", models.TextField(null=True)),
        migrations.CreateModel(
            name="CodesGiven",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Code",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("buyer", models.CharField(max_length=64, null=True, unique=True)),
                ("used_ms", models.BigIntegerField(null=True)),
                ("is_withdrawn", models.BooleanField(default=False)),
            ],
        ),
    ]
