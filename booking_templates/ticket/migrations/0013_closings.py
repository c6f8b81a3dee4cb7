from django.db import migrations, models


class Migration(migrations.Migration):
    """When tickets were given back for which nothing was paid, and when sales have ended for good."""

    dependencies = [("ticket", "0012_let_in_against_the_list")]

    operations = [
        migrations.AddField(model_name="ticket", name="withdrawn_at", field=models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="Closing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(unique=True)),
            ],
        ),
    ]
