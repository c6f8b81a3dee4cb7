from django.db import migrations, models

from controlplane.systems.platform_models import new_mark


class Migration(migrations.Migration):
    dependencies = [("systems", "0009_leaves_drift")]

    operations = [
        migrations.CreateModel(
            name="Platform",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("mark", models.CharField(default=new_mark, max_length=16)),
            ],
        ),
    ]
