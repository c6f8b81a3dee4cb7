from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("event", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="CalledOff",
            fields=[
                ("performance", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
