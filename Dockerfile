# The operator with Python and its locked packages, without pip and compiler. `make image` builds it.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/coldsend
COPY requirements/operator.txt /src/requirements/operator.txt
# Wheels only, so that a package without one fails here and not at run time.
RUN /opt/pip/bin/pip --python /opt/coldsend/bin/python install --no-compile --require-hashes --only-binary :all: \
    --requirement /src/requirements/operator.txt
COPY operator/coldsend_operator /src/operator/coldsend_operator
ARG COMMIT=unknown
# The package is pure Python, so it is copied, without setuptools. The program is a file of three lines.
# The Kubernetes client has 1,500 models, 30 MB compiled, of which the operator imports few. Its typed calls, 54 MB, are
# never imported. release/application.py does the same for the images of releases.
RUN cp -r /src/operator/coldsend_operator "$(/opt/coldsend/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/" \
 && printf '%s\n' "${COMMIT}" \
    > "$(/opt/coldsend/bin/python -c 'import coldsend_operator as it; print(it.__path__[0])')/COMMIT" \
 && printf '#!/opt/coldsend/bin/python\nfrom coldsend_operator.__main__ import main\nmain()\n' \
    > /opt/coldsend/bin/coldsend-operator \
 && chmod 0755 /opt/coldsend/bin/coldsend-operator \
 && find /opt/coldsend -type d -name tests -prune -exec rm -rf {} + \
 && find /opt/coldsend -path '*/kubernetes/*client/api/*_api.py' -delete \
 && /opt/coldsend/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
    -x 'kubernetes/.*client/models/(?!__init__)' /opt/coldsend/lib \
 && chmod -R a+rX,go-w /opt/coldsend

FROM ${BASE}
ARG VERSION=0.0.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="coldsend-operator" \
      org.opencontainers.image.description="Keeps the e-mail sender inboxes of a ColdSend workspace as Kubernetes objects" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
# The operator does not need pip of the base image.
RUN python3 -c 'import pathlib, shutil, sysconfig; \
lib, site = (pathlib.Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")); \
gone = [lib / "ensurepip", *(path for base in (site, lib.parent / "python3/dist-packages") if base.is_dir() \
for pattern in ("pip", "pip-*", "setuptools*", "pkg_resources", "wheel*") for path in base.glob(pattern))]; \
[shutil.rmtree(path, ignore_errors=True) for path in gone]' \
 && rm -f /usr/local/bin/pip* /usr/bin/pip* /usr/local/bin/wheel*
COPY --from=build /opt/coldsend /opt/coldsend
ENV PATH=/opt/coldsend/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["coldsend-operator"]
CMD ["run"]
