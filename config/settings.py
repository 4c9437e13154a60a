"""Settings of Dailies. Machines differ by environment variables only; `.env.example` lists them all.

Imports little: the supervisor of `./run` reads this module without loading Django.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where data lives ---------------------------------------------------------------------------------------------

DATA_DIR = env.directory("DATA_DIR", default=BASE_DIR / "var")
MEDIA_DIR = DATA_DIR / "media"
SECRETS_DIR = DATA_DIR / "secrets"

# --- Secrets: no default. `./run` makes both once, elsewhere they come from the environment ------------------------

SECRET_KEY = env.secret("SECRET_KEY", file=SECRETS_DIR / "SECRET_KEY")
FIELD_KEYS = env.secret("FIELD_KEYS", file=SECRETS_DIR / "FIELD_KEYS").replace(",", " ").split()
for _key in FIELD_KEYS:
    try:
        if len(base64.urlsafe_b64decode(_key)) != 32:
            raise ValueError("wrong length")
    except (ValueError, binascii.Error) as exc:
        raise ImproperlyConfigured(
            "FIELD_KEYS: each key is 32 bytes in URL-safe base64, newest first, with commas between"
        ) from exc

# --- Where the pages are ------------------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
BIND = env.text("BIND", default="127.0.0.1")
PORT = env.whole("PORT", default=8000, least=1, most=65535)
PUBLIC_URL = env.origin("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
HTTPS = PUBLIC_URL.startswith("https://")

# The loopback names are for health checks and for a look from the machine itself.
ALLOWED_HOSTS = list(
    dict.fromkeys((*env.words("ALLOWED_HOSTS", default=(PUBLIC_HOST,)), "127.0.0.1", "localhost", "[::1]"))
)
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS: '*' would let anybody choose the host; write the names")

# Whose X-Forwarded-For and X-Forwarded-Proto count (uvicorn reads them, before Django sees the request).
# https means that a proxy stands in front: usually on this machine.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", default=("127.0.0.1", "::1") if HTTPS else ())

# --- HeyGen -------------------------------------------------------------------------------------------------------

HEYGEN_API_KEY = env.secret("HEYGEN_API_KEY", default="")
HEYGEN_BASE_URL = env.origin("HEYGEN_BASE_URL", default="https://api.heygen.com")
HEYGEN_DIALECT = env.choice("HEYGEN_DIALECT", ("current", "sessions"), default="current")
# `./run` without a key, and the simulator profile of the compose file, set this: every page then says so.
SIMULATED = env.flag("SIMULATED", default=False)
# Exact origins: what pages may load pictures and video from, and what the vault may fetch.
MEDIA_HOSTS = env.origins(
    "MEDIA_HOSTS",
    default=("https://files.heygen.ai", "https://files2.heygen.ai", "https://resource2.heygen.ai"),
)

# The budget of one API key, shared by all processes. HeyGen publishes no figure.
POLL_REQUESTS_PER_SECOND = env.decimal("POLL_REQUESTS_PER_SECOND", default=5, least=0.1, most=1000)
POLL_BURST = env.whole("POLL_BURST", default=10, least=1, most=1000)
# Reader threads of one drain: how many requests one worker has under way at once.
POLL_THREADS = env.whole("POLL_THREADS", default=32, least=1, most=256)

# How often a workspace's list of sessions is read for those that were made elsewhere.
POLL_LIST_SECONDS = env.whole("POLL_LIST_SECONDS", default=60, least=5, most=86400)
# When a mirrored object is asked for again; polling/cadence.py says what each figure does.
POLL_WORKING_SECONDS = env.decimal("POLL_WORKING_SECONDS", default=3, least=0.1, most=86400)
POLL_WORKING_GROWTH = env.decimal("POLL_WORKING_GROWTH", default=1.15, least=1, most=10)
POLL_WORKING_MAX_SECONDS = env.decimal("POLL_WORKING_MAX_SECONDS", default=7, least=0.1, most=86400)
POLL_GENERATING_SECONDS = env.decimal("POLL_GENERATING_SECONDS", default=8, least=0.1, most=86400)
POLL_GENERATING_GROWTH = env.decimal("POLL_GENERATING_GROWTH", default=1.1, least=1, most=10)
POLL_GENERATING_MAX_SECONDS = env.decimal("POLL_GENERATING_MAX_SECONDS", default=20, least=0.1, most=86400)
POLL_WAITING_SECONDS = env.decimal("POLL_WAITING_SECONDS", default=15, least=0.1, most=86400)
POLL_WAITING_GROWTH = env.decimal("POLL_WAITING_GROWTH", default=1.5, least=1, most=10)
POLL_WAITING_MAX_SECONDS = env.decimal("POLL_WAITING_MAX_SECONDS", default=300, least=0.1, most=86400)
POLL_UNKNOWN_SECONDS = env.decimal("POLL_UNKNOWN_SECONDS", default=15, least=0.1, most=86400)
POLL_UNKNOWN_GROWTH = env.decimal("POLL_UNKNOWN_GROWTH", default=1.5, least=1, most=10)
POLL_UNKNOWN_MAX_SECONDS = env.decimal("POLL_UNKNOWN_MAX_SECONDS", default=600, least=0.1, most=86400)
POLL_WATCHED_WORKING_MAX_SECONDS = env.decimal(
    "POLL_WATCHED_WORKING_MAX_SECONDS", default=5, least=0.1, most=86400
)
POLL_WATCHED_WAITING_MAX_SECONDS = env.decimal(
    "POLL_WATCHED_WAITING_MAX_SECONDS", default=10, least=0.1, most=86400
)
POLL_WATCHED_DONE_SECONDS = env.decimal("POLL_WATCHED_DONE_SECONDS", default=60, least=0.1, most=86400)
POLL_WOKEN_SECONDS = env.decimal("POLL_WOKEN_SECONDS", default=1, least=0.1, most=86400)
POLL_FAILURE_SECONDS = env.decimal("POLL_FAILURE_SECONDS", default=4, least=0.1, most=86400)
POLL_FAILURE_MAX_SECONDS = env.decimal("POLL_FAILURE_MAX_SECONDS", default=300, least=0.1, most=86400)
# How many jobs of one account HeyGen runs at once; what is over waits here instead of being refused there.
CEILING_SESSIONS = env.whole("CEILING_SESSIONS", default=10, least=1, most=1000)
CEILING_STREAMS = env.whole("CEILING_STREAMS", default=3, least=1, most=1000)
# For how long the remote side is searched for a press of unknown outcome before a person is asked.
COMMANDS_LOOK_SECONDS = env.whole("COMMANDS_LOOK_SECONDS", default=600, least=5, most=86400)
# A remote file larger than this is not copied.
MEDIA_MAX_BYTES = env.whole("MEDIA_MAX_BYTES", default=2 * 1024**3, least=1024, most=1024**4)

# US dollars for a second of video and of a live stream: what pages estimate with. HeyGen's documents disagree about the
# first (0.0333 and 0.10).
VIDEO_PRICE_PER_SECOND = env.decimal("VIDEO_PRICE_PER_SECOND", default=0.0333, least=0, most=100)
REALTIME_PRICE_PER_SECOND = env.decimal("REALTIME_PRICE_PER_SECOND", default=0.05, least=0, most=100)

# What a scraper of /metrics shows as its bearer token. Without one only staff who are signed in see the figures.
METRICS_TOKEN = env.secret("METRICS_TOKEN", default="")
if METRICS_TOKEN and len(METRICS_TOKEN) < 20:
    raise ImproperlyConfigured("METRICS_TOKEN: it guards the figures alone; make it 20 characters or longer")

# --- Django -------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.ProjectConfig",
    "workspaces_app.apps.GuardedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",  # its own templates, for interface.forms.Renderer
    "template_partials",
    "interface",
    "polling",
    "commands",
    "timeline",
    "eventstream",
    "workspaces_app",
    "sessions_app",
    "realtime_app",
    "ops",
]

AUTH_USER_MODEL = "workspaces_app.User"
AUTHENTICATION_BACKENDS = ["workspaces_app.backends.Backend"]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # A list of fifty rows is a tenth of its size. Lengths tell nothing of a secret: the CSRF token is masked anew for each
    # page, and the middleware adds a name of random length.
    "django.middleware.gzip.GZipMiddleware",
    "config.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "workspaces_app.middleware.SignedInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "workspaces_app.context.workspaces",
                "workspaces_app.context.problems",
                "interface.context.shell",
            ],
        },
    }
]

FORM_RENDERER = "interface.forms.Renderer"

# --- Database -----------------------------------------------------------------------------------------------------

_database_url = env.url(
    "DATABASE_URL", ("sqlite", "postgres", "postgresql"), default=f"sqlite:///{DATA_DIR / 'dailies.sqlite3'}"
)
try:
    DATABASES = {"default": dj_database_url.parse(_database_url, conn_max_age=0, conn_health_checks=True)}
except ValueError as exc:
    raise ImproperlyConfigured(
        "DATABASE_URL is no valid address; quote special characters in the password"
    ) from exc
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a deferred transaction that turns into a write fails at once with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;",
    }
else:
    _options = DATABASES["default"].setdefault("OPTIONS", {})
    # Pages ask for some dozens of rows: to start a helper for that takes the server longer than to read them.
    _options.setdefault("options", "-c max_parallel_workers_per_gather=0")
    # A request that finds no free connection within the timeout fails, rather than piling up behind the others.
    _options["pool"] = {
        **{"min_size": 1, "max_size": 16, "timeout": 5},
        # Else a pool that has failed for half a minute tries again only half a minute later. Given up, it tries at once
        # when somebody asks.
        "reconnect_timeout": 1,
    }

# --- Redis: hints, limits and live fan-out ------------------------------------------------------------------------

REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"), default="redis://127.0.0.1:6379/0")

CACHES = {
    "default": {
        "BACKEND": "config.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {
            "serializer": "config.cache.JsonSerializer",
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
            "health_check_interval": 10,
        },
    }
}

# --- Celery: messages are hints, rows are the truth ---------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: the worker comes back when Redis does
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Without these a worker whose connection was dropped in silence stays alive and deaf.
    "socket_timeout": 30,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "retry_on_timeout": True,
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False  # a lost hint costs one tick; a page that waits for Redis costs more
CELERY_TASK_DEFAULT_QUEUE = "polls"
CELERY_TASK_ROUTES = {"polling.*": {"queue": "polls"}, "commands.*": {"queue": "commands"}}
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # nobody asks, and it would poll Redis all day
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"  # in memory: the schedule is here and needs no file
CELERY_BEAT_SCHEDULE = {
    "polling.tick": {"task": "polling.tick", "schedule": 1.0, "options": {"queue": "polls"}},
    "commands.tick": {
        "task": "commands.tick",
        "schedule": 1.0,
        "options": {"queue": "commands"},
    },
    "sessions_app.fold_tallies": {
        "task": "sessions_app.fold_tallies",
        "schedule": 60.0,
        "options": {"queue": "polls"},
    },
    "sessions_app.tidy": {
        "task": "sessions_app.tidy",
        "schedule": 3600.0,
        "options": {"queue": "polls"},
    },
    "workspaces_app.tidy": {
        "task": "workspaces_app.tidy",
        "schedule": 3600.0,
        "options": {"queue": "polls"},
    },
}

# --- Sign-in, cookies, https --------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Over plain http a browser refuses `__Host-` names; and cookies of one host are shared by all its ports, so the
# plain names are our own.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "dailies_session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "dailies_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True  # pages carry the CSRF token in their own markup
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
# A sign-in ends after a day without its person, and in any case after two weeks.
SESSION_IDLE_SECONDS = 24 * 3600
SESSION_ABSOLUTE_SECONDS = SESSION_COOKIE_AGE
# The admin asks for the password again after so long.
ADMIN_CONFIRM_SECONDS = 15 * 60
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "/"

SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_SSL_REDIRECT = HTTPS
# Health checks and scrapers from inside the machine speak plain http.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains and
    "security.W021",  # the preload list decide about other services of the domain: not ours to do
]

_SELF, _NONE = "'self'", "'none'"
SECURE_CSP = {
    "default-src": [_SELF],
    "script-src": [_SELF],
    "style-src": [_SELF],
    "img-src": [_SELF, "data:", *MEDIA_HOSTS],
    "media-src": [_SELF, "blob:", *MEDIA_HOSTS],  # blob: is how hls.js feeds the player
    "connect-src": [_SELF, *MEDIA_HOSTS],
    "worker-src": [_SELF, "blob:"],
    "object-src": [_NONE],
    "base-uri": [_NONE],
    "form-action": [_SELF],
    "frame-ancestors": [_NONE],
}

# Twenty files of 32 MB with room for the form around them; config/asgi.py stops a larger body while it arrives.
MAX_BODY_BYTES = 680 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # fields without files

# --- Language and time --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files: hashed names, served beside Django (config/asgi.py) ---------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": MEDIA_DIR}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "interface.storage.HashedModulesStorage"
    },
}

# --- Logs ---------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.RedactingFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
            "secrets": [HEYGEN_API_KEY, METRICS_TOKEN],
        },
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        # Sign-ins, refusals, changes of keys and roles: apart, so that they can be kept longer and watched.
        "security": {
            "class": "logging.handlers.WatchedFileHandler",
            "filename": DATA_DIR / "security.log",
            "formatter": "line",
            "delay": True,
        },
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.security": {"handlers": ["console", "security"], "level": "INFO", "propagate": False},
        "dailies.security": {"handlers": ["console", "security"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # A tick a second would be two lines a second.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
    },
}
