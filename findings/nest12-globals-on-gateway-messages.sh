#!/usr/bin/env bash
# From Nest 12 on, global guards, pipes and interceptors run on every message of a WebSocket
# gateway.
#
# Surprise: with Nest 11 none of APP_GUARD, APP_PIPE and APP_INTERCEPTOR runs around a gateway's
#   messages. With Nest 12 all three do. APP_FILTER runs in neither. No code changes between the two
#   runs below.
# Matters to: applications whose global guard reads an HTTP request, whose global interceptor wraps
#   answers as `{ data }`, or whose strict ValidationPipe knows HTTP bodies alone: after the upgrade
#   they refuse or change messages.
# Do: return early in them unless `context.getType() === 'http'`, or bind them to controllers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/app.mjs" <<'JS'
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { WebSocket } from 'ws';
const ran = new Set();
class Gateway {
  hello(_client, { fail }) {
    ran.add(fail ? 'failing handler' : 'handler');
    if (fail) throw new Error('as asked');
  }
}
SubscribeMessage('hello')(Gateway.prototype, 'hello', Object.getOwnPropertyDescriptor(Gateway.prototype, 'hello'));
WebSocketGateway()(Gateway);
const seen = (name, value) => (ran.add(name), value);
class AppModule {}
Module({
  providers: [
    Gateway,
    { provide: APP_GUARD, useValue: { canActivate: () => seen('guard', true) } },
    { provide: APP_PIPE, useValue: { transform: (value) => seen('pipe', value) } },
    { provide: APP_INTERCEPTOR, useValue: { intercept: (_context, next) => seen('interceptor', next.handle()) } },
    { provide: APP_FILTER, useValue: { catch: () => seen('filter') } },
  ],
})(AppModule);
const app = await NestFactory.create(AppModule, { logger: false });
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(0, '127.0.0.1');
const socket = new WebSocket(`ws://127.0.0.1:${app.getHttpServer().address().port}`);
socket.on('open', () => {
  for (const fail of [false, true]) socket.send(JSON.stringify({ event: 'hello', data: { fail } }));
});
setTimeout(() => {
  console.log([...ran].toSorted().join(', '));
  process.exit();
}, 2_000);
JS
run() {
  mkdir "$folder/$1"
  cd "$folder/$1"
  echo '{}' >package.json
  npm i --loglevel=error --no-audit --no-fund "@nestjs/common@$2" "@nestjs/core@$2" "@nestjs/platform-express@$2" \
    "@nestjs/websockets@$3" "@nestjs/platform-ws@$3" rxjs@7.8.2 reflect-metadata@0.2.2 ws@8.23.0 >&2
  cp ../app.mjs .
  printf '@nestjs/websockets %s: ' "$3"
  node app.mjs
}
run nest11 11.2.10 11.2.6 >"$folder/seen"
run nest12 12.5.1 12.1.1 >>"$folder/seen"
seen=$(<"$folder/seen")
echo "$seen"

expected='@nestjs/websockets 11.2.6: failing handler, handler
@nestjs/websockets 12.1.1: failing handler, guard, handler, interceptor, pipe'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: other global enhancers run on messages now.'
  exit 1
fi
