# One image for every process of Dailies; docker-compose.yml says which one a container runs.

FROM python:3.11-slim-bookworm AS packages

WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt


FROM python:3.11-slim-bookworm

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    BIND=0.0.0.0

RUN useradd --system --uid 10001 --user-group --home-dir /app dailies \
    && install -d -o dailies -g dailies -m 700 /data

WORKDIR /app
COPY --from=packages /venv /venv
COPY . .

# With secrets of its own, which are gone with this step: collecting files needs settings, not real ones.
RUN SECRET_KEY=build FIELD_KEYS="$(python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())')" \
    DATA_DIR=/tmp/build python -m config.prepare static \
    && rm -rf /tmp/build \
    && python -m compileall -q /app

USER 10001:10001
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "config.process", "web"]
