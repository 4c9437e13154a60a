"""Collected as in production: every name carries a hash, and a module imports modules by their hashed names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command


@pytest.fixture
def collected(tmp_path: Path, settings: Any) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "interface.storage.HashedModulesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_a_module_imports_hashed_modules_that_exist(collected: Path):
    (main,) = collected.glob("js/main.*.js")
    names = re.findall(r"""import\s*["']\./([^"']+)["']""", main.read_text())
    assert len(names) > 10
    assert [name for name in names if not re.fullmatch(r"[a-z-]+\.[0-9a-f]{12}\.js", name)] == []
    assert [name for name in names if not (collected / "js" / name).is_file()] == []


def test_addresses_in_pages_carry_the_hash(collected: Path):
    address = staticfiles_storage.url("css/tokens.css")
    assert re.fullmatch(r"/static/css/tokens\.[0-9a-f]{12}\.css", address)
    assert (collected / address.removeprefix("/static/")).is_file()
