# The standalone server. Build: docker build -t nestjs-live . · Run: see "In production" in docs/server.md
FROM node:22-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build
# What the server loads at run time: its peers are optional for the library, so they are named here.
RUN node scripts/server-packages.mjs > /tmp/packages \
  && npm pack --ignore-scripts --silent --pack-destination /tmp \
  && mkdir /app && cd /app && npm init -y > /dev/null \
  && npm install --omit=dev --no-audit --no-fund /tmp/nestjs-live-*.tgz $(cat /tmp/packages)

FROM node:22-slim
ENV NODE_ENV=production LIVE_WS_HOST=0.0.0.0 HTTP_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app ./
USER node
# Live sockets; then the page, health, metrics and publishing, which belong on a private network.
EXPOSE 8081 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT || 9090}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "node_modules/nestjs-live/dist/main.js"]
