from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

ROOT = Path(__file__).resolve().parents[2]
FIELD_KEY = "qDgYIVz9z1hXJ8rYyQ0e0kqYyqfS1rQ0sZ0m1o9M7kE="


def say_what_is_wrong(function, *args, **kwargs) -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        function(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("https://Dailies.example.com", "https://dailies.example.com"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_brought_into_one_form(value, origin):
    assert env.as_origin("PUBLIC_URL", value) == origin


@pytest.mark.parametrize(
    "value",
    [
        "dailies.example.com",
        "ftp://dailies.example.com",
        "https://",
        "https://dailies.example.com/app",
        "https://user:pass@dailies.example.com",
        "https://dailies.example.com:99999",
        "https://a.example; script-src *",
        "https://*.example.com",
    ],
)
def test_what_is_no_exact_origin_is_refused(value):
    assert "write an address like" in say_what_is_wrong(env.as_origin, "PUBLIC_URL", value)


def test_a_list_of_origins_drops_doubles_and_completes_bare_names(monkeypatch):
    monkeypatch.setenv("MEDIA_HOSTS", "files.heygen.ai, https://files.heygen.ai http://127.0.0.1:8900")

    assert env.origins("MEDIA_HOSTS", default=()) == ("https://files.heygen.ai", "http://127.0.0.1:8900")


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("PORT", " ")

    assert env.whole("PORT", default=8000, least=1, most=65535) == 8000


@pytest.mark.parametrize("value", ["0", "65536", "eighty", "-1", "80.0", "²"])
def test_a_port_out_of_range_is_refused(monkeypatch, value):
    monkeypatch.setenv("PORT", value)

    said = say_what_is_wrong(env.whole, "PORT", default=8000, least=1, most=65535)
    assert said == f"PORT={value!r}: write a whole number from 1 to 65535"


@pytest.mark.parametrize("value", ["nan", "inf", "0", "fast"])
def test_a_rate_that_is_no_rate_is_refused(monkeypatch, value):
    monkeypatch.setenv("POLL_REQUESTS_PER_SECOND", value)

    said = say_what_is_wrong(env.decimal, "POLL_REQUESTS_PER_SECOND", default=5, least=0.1, most=1000)
    assert said == f"POLL_REQUESTS_PER_SECOND={value!r}: write a number from 0.1 to 1000"


def test_a_secret_comes_from_the_file_that_is_named(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("sk_from_file\n")
    monkeypatch.setenv("HEYGEN_API_KEY_FILE", str(tmp_path / "key"))

    assert env.secret("HEYGEN_API_KEY", default="") == "sk_from_file"


def test_a_secret_given_twice_is_refused(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("sk_from_file")
    monkeypatch.setenv("HEYGEN_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("HEYGEN_API_KEY", "sk_from_environment")

    said = say_what_is_wrong(env.secret, "HEYGEN_API_KEY")
    assert said == "HEYGEN_API_KEY and HEYGEN_API_KEY_FILE are both set: keep one"


def test_an_error_never_repeats_what_may_hold_a_password(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://dailies:hunter2@db/dailies")

    said = say_what_is_wrong(env.url, "DATABASE_URL", ("sqlite", "postgresql"), default="")
    assert said == "DATABASE_URL: write an address that starts with sqlite:// or postgresql://"


def test_a_directory_is_made_for_its_owner_only(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new" / "data"))

    made = env.directory("DATA_DIR", default=tmp_path)

    assert made == tmp_path / "new" / "data"
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_made_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "file" / "data"))

    said = say_what_is_wrong(env.directory, "DATA_DIR", default=tmp_path)
    assert said == f"DATA_DIR: {str(tmp_path / 'file' / 'data')!r} cannot be made: Not a directory"


def test_networks_are_checked(monkeypatch):
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8,nginx")

    said = say_what_is_wrong(env.networks, "TRUSTED_PROXIES", default=())
    assert said.startswith("TRUSTED_PROXIES: 'nginx' is no address or network")


def test_the_example_lists_what_the_settings_read():
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config" / "settings.py").read_text()))

    assert named == read


def test_only_config_reads_the_environment():
    rooms = [
        "heygen",
        "polling",
        "commands",
        "timeline",
        "eventstream",
        "interface",
        "workspaces_app",
        "sessions_app",
        "realtime_app",
    ]
    readers = [
        str(file.relative_to(ROOT))
        for room in rooms
        for file in (ROOT / room).rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", file.read_text())
    ]

    assert readers == []


# --- A whole start with a wrong variable: one line, no traceback --------------------------------------------------


def settings_in_a_process(tmp_path, code: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "x",
        "FIELD_KEYS": FIELD_KEY,
    }
    return subprocess.run(
        [sys.executable, "-c", f"from config import settings\n{code}"],
        env={name: value for name, value in {**environment, **variables}.items() if value},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"FIELD_KEYS": ""}, "FIELD_KEYS is not set"),
        ({"FIELD_KEYS": "short"}, "FIELD_KEYS: each key is 32 bytes in URL-safe base64, newest first"),
        ({"DEBUG": "yes"}, "DEBUG='yes': write True or False"),
        ({"HEYGEN_DIALECT": "new"}, "HEYGEN_DIALECT='new': write one of current, sessions"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS: '*' would let anybody choose the host"),
        ({"REDIS_URL": "localhost"}, "REDIS_URL: write an address that starts with redis://"),
    ],
)
def test_a_wrong_variable_is_one_clear_line(tmp_path, variables, line):
    start = settings_in_a_process(tmp_path, **variables)

    assert start.returncode == 1
    assert (
        start.stderr.strip()
        .splitlines()[-1]
        .startswith(f"django.core.exceptions.ImproperlyConfigured: {line}")
    )

    process = subprocess.run(
        [sys.executable, "-m", "config.process", "beat"],
        env={
            name: value
            for name, value in {
                "PATH": "/usr/bin:/bin",
                "DATA_DIR": str(tmp_path),
                "SECRET_KEY": "x",
                "FIELD_KEYS": FIELD_KEY,
                **variables,
            }.items()
            if value
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1
    assert process.stderr.startswith(f"Dailies cannot start: {line}")
    assert len(process.stderr.splitlines()) == 1


def test_the_secrets_of_the_data_directory_are_found(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "SECRET_KEY").write_text("made-once")

    start = settings_in_a_process(tmp_path, "print(settings.SECRET_KEY)", SECRET_KEY="")

    assert start.stdout == "made-once\n", start.stderr


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("http://10.1.2.3:8000", ["dailies_session", "dailies_csrf", False, False, 0, [], False]),
        (
            "https://dailies.example.com",
            ["__Host-session", "__Host-csrf", True, True, 31536000, ["127.0.0.1", "::1"], True],
        ),
    ],
)
def test_https_in_the_public_url_turns_on_what_https_needs(tmp_path, public_url, expected):
    code = (
        "print([settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, "
        "settings.CSRF_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS, list(settings.TRUSTED_PROXIES), "
        "settings.SECURE_SSL_REDIRECT])"
    )

    start = settings_in_a_process(tmp_path, code, PUBLIC_URL=public_url)

    assert start.stdout.strip() == str(expected), start.stderr


def test_media_hosts_fill_the_policy_and_nothing_else_does(tmp_path):
    code = "from config.csp import build_policy; print(build_policy(settings.SECURE_CSP))"

    start = settings_in_a_process(tmp_path, code, MEDIA_HOSTS="https://cdn.example")

    assert start.stdout.strip() == (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: https://cdn.example; "
        "media-src 'self' blob: https://cdn.example; connect-src 'self' https://cdn.example; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ), start.stderr
