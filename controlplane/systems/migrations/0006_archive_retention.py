from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("systems", "0005_adjustments"),
    ]

    operations = [
        migrations.AddField(
            model_name="archive",
            name="erased_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="archive",
            name="kept_until",
            field=models.DateTimeField(db_index=True, null=True),
        ),
        migrations.AlterField(
            model_name="archive",
            name="state",
            field=models.CharField(
                choices=[
                    ("running", "Being made"),
                    ("complete", "Complete"),
                    ("missing", "Missing: an admin deleted the booking system without it"),
                    ("erased", "Erased: its time was over"),
                ],
                default="running",
                max_length=10,
            ),
        ),
    ]
