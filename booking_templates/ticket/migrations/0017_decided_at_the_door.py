from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a person decided to let in who came with a ticket that was issued after the scanner's list."""

    dependencies = [("ticket", "0013_closings")]

    operations = [
        migrations.AddField(model_name="doorconflict", name="decided", field=models.BooleanField(db_default=False, default=False)),
    ]
