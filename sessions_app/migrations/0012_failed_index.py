from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0011_waiting_uploads"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="videosession",
            index=models.Index(
                condition=models.Q(("archived", False), ("group", "failed")),
                fields=["workspace", "status_since"],
                name="session_failed",
            ),
        ),
    ]
