from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("merch", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="WithdrawnTickets",
            fields=[
                ("ticket_order", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("is_open", models.BooleanField(db_index=True, default=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["ticket_order"], name="merch_order_of_tickets"),
        ),
    ]
