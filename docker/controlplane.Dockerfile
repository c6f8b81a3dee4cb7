# The control plane: portal, worker, beat and watcher are one image with different commands.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS packages
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config python3-dev
COPY requirements.txt requirements-mysql.txt /build/
RUN python3 -m venv --without-pip /opt/clove \
 && python3 -m pip --disable-pip-version-check --python /opt/clove/bin/python install --no-cache-dir --no-compile \
    -r /build/requirements.txt -r /build/requirements-mysql.txt \
 && find /opt/clove/lib -name '*.so' -exec strip --strip-unneeded {} +
COPY manage.py /app/
COPY booking_templates/__init__.py booking_templates/catalog.py /app/booking_templates/
COPY controlplane /app/controlplane
COPY manifests /app/manifests
COPY examples /app/examples
RUN /opt/clove/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/clove/lib /app

FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/* \
 # Celery takes a group without a name for root's and warns of it at each start.
 && groupadd --gid 10001 clove \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/clove --shell /usr/sbin/nologin clove
COPY --from=packages /opt/clove /opt/clove
COPY --from=packages /app /app
ENV PATH=/opt/clove/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CLOVE_HOME=/var/lib/clove \
    DJANGO_SETTINGS_MODULE=controlplane.config.settings
WORKDIR /app
USER 10001:10001
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "controlplane.config.wsgi:application"]
