from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("systems", "0011_key_rotation")]

    operations = [
        migrations.AddField(model_name="bookingsystem", name="data_marks", field=models.JSONField(blank=True, null=True)),
        migrations.AddField(model_name="bookingsystem", name="backup", field=models.JSONField(blank=True, null=True)),
        migrations.AlterField(
            model_name="bookingsystem",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("deploying", "Deploying"),
                    ("live", "Live"),
                    ("suspended", "Suspended"),
                    ("data_gone", "Data gone"),
                    ("failed", "Failed"),
                    ("deleting", "Deleting"),
                    ("deleted", "Deleted"),
                ],
                db_index=True,
                default="draft",
                max_length=10,
            ),
        ),
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
                    ("restore", "Restore a backup"),
                    ("reopen", "Open without its data"),
                    ("delete", "Delete"),
                    ("edit", "Edit while live"),
                ],
                max_length=10,
            ),
        ),
    ]
