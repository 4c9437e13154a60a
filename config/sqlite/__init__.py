"""Django's SQLite backend with another way to wait for a turn; `DATABASES` names this package as its engine."""
