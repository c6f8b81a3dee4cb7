import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Mail about bookings."""

    dependencies = [("auth", "0002_told_again")]

    operations = [
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("language", models.CharField(max_length=5)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField(blank=True, default="")),
                ("calendar", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(db_index=True)),
                ("next_at", models.DateTimeField(db_index=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("buyer", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.buyer")),
            ],
        )
    ]
