# The contract's service as an image: docker build -f tests/runtime_contract/tiny.Dockerfile -t clove-test/tiny:1 tests/runtime_contract
ARG BASE=docker.io/library/python:3.13-slim
FROM ${BASE}
COPY tiny_service.py /tiny_service.py
ENV BIND=0.0.0.0 PORT=8000 BAKED=in CLOVE_ROOT="" PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
CMD ["python3", "/tiny_service.py"]
