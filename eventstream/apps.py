from django.apps import AppConfig


class EventstreamConfig(AppConfig):
    name = "eventstream"
