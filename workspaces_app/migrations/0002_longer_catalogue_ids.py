from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces_app", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="catalogueitem",
            name="remote_id",
            field=models.CharField(max_length=255),
        ),
    ]
