"""What the installation of the browser tests runs with: the product's settings, its static files in a folder apart.

Hashed names and the content security policy are as in production. Only passwords are hashed in no time, the same way
as in the test's own process, which makes the accounts.
"""

from config.settings import *  # noqa: F403
from config.settings import BASE_DIR

# One for all processes of a run and for the next run: compressing takes ten seconds.
STATIC_ROOT = BASE_DIR / "tests" / "staticfiles"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
