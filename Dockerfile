# The agent in a container. docs/install.md says how to run it, and why Docker's socket makes it root on the host.
#
# Both bases are tags, which move. For a release, pin digests (`docker buildx imagetools inspect IMAGE`):
# `--build-arg BUILD_BASE=node:24-bookworm-slim@sha256:...`.
ARG BUILD_BASE=node:24-bookworm-slim
ARG RUN_BASE=debian:bookworm-slim

FROM ${BUILD_BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without the package `node`: the base image has Node.js.
RUN npm ci --ignore-scripts --prefer-offline --no-audit --no-fund && rm -f node_modules/.bin/node
COPY tsconfig.json tsconfig.build.json ./
COPY bin ./bin
COPY scripts ./scripts
COPY src ./src
RUN npm run -s build && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && find node_modules dist -type f \( -name '*.ts' -o -name '*.map' -o -name '*.md' \) -delete \
  && mkdir -p /image/usr/lib/sharedcloud-agent /image/usr/bin \
  && cp -r bin dist node_modules package.json /image/usr/lib/sharedcloud-agent/ \
  && cp "$(command -v node)" /image/usr/lib/sharedcloud-agent/bin/node
COPY packaging/deb/sharedcloud-agent /image/usr/bin/sharedcloud-agent

FROM ${RUN_BASE}
# For `network keep`, which makes the job network on each host of a fleet.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nftables && rm -rf /var/lib/apt/lists/*
COPY --from=build /image /
# Nvidia's runtime adds nvidia-smi. The agent needs no more of the GPUs; its jobs use them.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=utility
# Not the user of jobs. --group-add adds the group of Docker's socket.
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=30s --start-period=60s CMD ["/usr/bin/sharedcloud-agent", "health"]
ENTRYPOINT ["/usr/bin/sharedcloud-agent"]
CMD ["start"]
