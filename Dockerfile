# syntax=docker/dockerfile:1
#
# docker build -t edge-proxy .
# docker run -v ./config.json:/app/config.json -v edge-proxy-store:/store -p 8000:8000 edge-proxy
# docker run -v ./config.json:/app/config.json edge-proxy check
# docker run edge-proxy man | man -l -                    (completions of a shell likewise: edge-proxy completions bash)
#
# With the admin port, for this machine alone:
# docker run … -e ADMIN='{"host": "::", "port": 8001}' -p 127.0.0.1:8001:8001 edge-proxy
#
# Debian on both sides, the same release: the binary needs glibc and nothing else that a static one would save.

# Not the slim image: ring and jemalloc are built by a C compiler and make.
FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
# Which commit `flagsmith_build_info` names: docker build --build-arg CI_COMMIT_SHA=$(git rev-parse HEAD) -t edge-proxy .
ARG CI_COMMIT_SHA
# Downloads and compiled dependencies stay in BuildKit's cache between builds; that is why the binary is
# copied out of it in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin edge-proxy \
    && cp target/release/edge-proxy /usr/local/bin/edge-proxy
# The other image has no shell to make it with.
RUN mkdir -m 0700 /store

# glibc, libgcc and root certificates; no shell, no package manager. Runs as uid 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/edge-proxy /usr/local/bin/edge-proxy
# The last good documents, so that a restart serves flags while upstream is away. Without a volume of a name of its own
# (-v edge-proxy-store:/store, a persistent volume claim) each new container begins with an empty one.
COPY --from=build --chown=65532:65532 /store /store
VOLUME /store
WORKDIR /app
ENV CONFIG_PATH=/app/config.json
# Lies over the configuration file's own persistence.directory.
ENV PERSISTENCE='{"directory":"/store"}'
EXPOSE 8000
# There is no shell, so the program asks itself: 200 of /proxy/health/readiness on the port of its own configuration, which
# stays so in an outage of upstream. It gives up after 5 s. A configuration that `docker run … --config PATH` names is not
# seen by it; CONFIG_PATH is. Kubernetes ignores this: point its probes at /proxy/health/readiness and /proxy/health/liveness.
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s --retries=3 CMD ["/usr/local/bin/edge-proxy", "health"]
# `docker stop` sends SIGTERM and waits for 10 s, which is server.shutdown_timeout_seconds: the proxy drains by itself and
# needs no preStop hook. Give both more time together (--stop-timeout, terminationGracePeriodSeconds).
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/edge-proxy"]
