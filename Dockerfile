# syntax=docker/dockerfile:1
#
# docker build -t edge-proxy .
# docker run -v ./config.json:/app/config.json -p 8000:8000 edge-proxy
#
# Debian on both sides, the same release: glibc's allocator serves threads far better than musl's, and the
# binary needs nothing else that a static one would save.

# The slim image holds gcc and libc6-dev, which is all that ring and other crates with C in them ask for.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
# Downloads and compiled dependencies stay in BuildKit's cache between builds; that is why the binary is
# copied out of it in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin edge-proxy \
    && cp target/release/edge-proxy /usr/local/bin/edge-proxy

# glibc, libgcc and root certificates; no shell, no package manager. Runs as uid 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/edge-proxy /usr/local/bin/edge-proxy
WORKDIR /app
ENV CONFIG_PATH=/app/config.json
EXPOSE 8000
# No HEALTHCHECK: nothing in here could run it. Point the orchestrator's probes at /proxy/health/readiness
# and /proxy/health/liveness.
ENTRYPOINT ["/usr/local/bin/edge-proxy"]
