# The agent in a container; docs/install.md tells how to run it, and what it means to give it Docker's socket.
#
# Both bases can be pinned: `--build-arg BUILD_BASE=node:24-bookworm-slim@sha256:...`. The defaults are tags, which
# move; a release is built with digests that its maker has looked up (`docker buildx imagetools inspect IMAGE`).
ARG BUILD_BASE=node:24-bookworm-slim
ARG RUN_BASE=debian:bookworm-slim

FROM ${BUILD_BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without the Node.js that checkouts bring along: the base has one.
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
COPY --from=build /image /
# Nvidia's runtime brings nvidia-smi, and nothing more is wanted of the GPUs here: the jobs use them.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=utility
# Nobody in particular; not the user that jobs run as. The group of Docker's socket comes with --group-add.
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=30s --start-period=60s CMD ["/usr/bin/sharedcloud-agent", "health"]
ENTRYPOINT ["/usr/bin/sharedcloud-agent"]
CMD ["start"]
