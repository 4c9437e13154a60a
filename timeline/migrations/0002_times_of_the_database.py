import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("timeline", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), verbose_name="at"
            ),
        )
        for name in ("event", "exchange")
    ]
