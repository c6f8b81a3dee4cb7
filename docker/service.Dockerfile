# One booking service; docker/build.py says which.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS packages
# mysqlclient has no wheels. What builds it stays in this stage.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config python3-dev
COPY requirements.txt requirements-mysql.txt docker/service-requirements.txt /build/
# Constraints may not have extras.
RUN sed 's/\[.*\]//' /build/requirements.txt /build/requirements-mysql.txt >/build/constraints.txt \
 && python3 -m venv --without-pip /opt/clove \
 && python3 -m pip --disable-pip-version-check --python /opt/clove/bin/python install --no-cache-dir --no-compile \
    -c /build/constraints.txt -r /build/service-requirements.txt \
 # Django's own pages, which no service shows, are translated into a hundred languages.
 && find /opt/clove/lib -type d -path '*/django/*/locale/*' -prune ! -name 'en*' ! -name ko -exec rm -rf {} + \
 && find /opt/clove/lib -name '*.so' -exec strip --strip-unneeded {} + \
 # Compiled here: the root file system is read-only where it runs.
 && /opt/clove/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/clove/lib
COPY booking_templates /app/booking_templates
ARG SERVICE
# Every other service stays out of this one's image.
RUN for service in auth event seat ticket merch web standin; do \
      [ "$service" = "${SERVICE:?which service}" ] || rm -rf "/app/booking_templates/$service"; \
    done \
 && /opt/clove/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /app

FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/*
COPY --from=packages /opt/clove /opt/clove
COPY --from=packages /app /app
ENV PATH=/opt/clove/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# docker/build.py adds the environment, the command and the labels that the catalog gives the variant.
