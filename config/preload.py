"""Loads what every process of Dailies needs, once: the fork server of `./run` imports this module.

Loading takes most of a second of CPU and tens of megabytes. Processes forked from here share both. Nothing in here may
start a thread, open a connection or bind to an event loop: none of them survives a fork.
"""

from __future__ import annotations

import gc
import importlib
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import celery.apps.worker  # noqa: F401
import django
import httptools  # noqa: F401
import kombu.transport.redis  # noqa: F401
import uvicorn  # noqa: F401
import uvloop  # noqa: F401

import config.beat  # noqa: F401
from config.celery import app

django.setup()

# Views and tasks, which nothing has asked for yet.
importlib.import_module("config.urls")
app.loader.import_default_modules()

# The collector would touch every object, and a touched page is no longer shared.
gc.collect()
gc.freeze()
