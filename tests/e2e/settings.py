"""What the installation of the browser tests runs with: the product's settings, its static files in a folder apart.

Hashed names and the content security policy are as in production. Only passwords are hashed in no time, the same way
as in the test's own process, which makes the accounts.
"""

from config.settings import *  # noqa: F403
from config.settings import DATA_DIR

STATIC_ROOT = DATA_DIR / "staticfiles"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
