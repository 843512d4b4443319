# The program with the libraries that it needs, and nothing else: no compiler, no shell scripts but the health check's, no root.
#
#   docker build --tag mcp-registry:local .
#   docker run --rm mcp-registry:local --help
FROM swift:6.3.1-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends libmariadb-dev libsqlite3-dev pkg-config
WORKDIR /source
COPY Package.swift ./
COPY Migrations Migrations
COPY Plugins Plugins
COPY Sources Sources
COPY Tests Tests
# Swift's own libraries become part of the program.
RUN swift build --configuration release --product mcp-registry --static-swift-stdlib \
    && install --strip .build/release/mcp-registry /usr/local/bin/mcp-registry

# The same release of Debian as above: the program wants its C library.
FROM debian:12.12-slim
# libmariadb3 brings the plugins by which users log in to MySQL (caching_sha2_password) and MariaDB (ed25519). Without these
# files the database would seem to refuse the password.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libmariadb3 libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/* \
    && test -r /usr/lib/*/libmariadb3/plugin/caching_sha2_password.so \
    && test -r /usr/lib/*/libmariadb3/plugin/client_ed25519.so
COPY --from=build /usr/local/bin/mcp-registry /usr/local/bin/mcp-registry
COPY Deployment/probe /usr/local/bin/probe
RUN mcp-registry --version
# A number, so that orchestrators can tell that it is not root.
USER 1000:1000
WORKDIR /var/empty
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["probe", "8000", "/health"]
# SIGTERM, which is the default, lets it finish what it is doing: DRAIN_SECONDS, and up to 9 s more.
ENTRYPOINT ["mcp-registry"]
CMD ["serve"]
