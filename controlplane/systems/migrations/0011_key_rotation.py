from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("systems", "0010_platform")]

    operations = [
        migrations.AddField(model_name="bookingsystem", name="old_keys_until", field=models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="operation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("deploy", "Deploy"),
                    ("update", "Update"),
                    ("rollback", "Roll back"),
                    ("scale", "Scale"),
                    ("move", "Move"),
                    ("restart", "Restart"),
                    ("rotate", "Change keys"),
                    ("suspend", "Suspend"),
                    ("resume", "Resume"),
                    ("delete", "Delete"),
                    ("edit", "Edit while live"),
                ],
                max_length=10,
            ),
        ),
    ]
