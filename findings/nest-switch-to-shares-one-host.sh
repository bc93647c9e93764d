#!/usr/bin/env bash
# `context.switchToWs().getData()` returns the client after `switchToRpc()` was called.
#
# Surprise: `switchToHttp()`, `switchToWs()` and `switchToRpc()` do not return three views of a
#   Nest execution context. Each writes its methods onto the context itself and returns that, and
#   two of them write a `getData`: the last call wins, also for a view that was taken before.
# Matters to: guards and interceptors for several transports that take all views first and then
#   choose by `context.getType()`. In a gateway they read the client where they expect the message.
# Do: call `getType()` first, and only the one `switchTo…` that it names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/app.mjs" <<'JS'
import 'reflect-metadata';
import { Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { WebSocket } from 'ws';
class LooksFirst {
  canActivate(context) {
    const ws = context.switchToWs();
    const before = ws.getData();
    const rpc = context.switchToRpc();
    const after = ws.getData();
    console.log(
      `message before: ${JSON.stringify(before)}, after: ${after === ws.getClient() ? 'the client' : JSON.stringify(after)}; ` +
        `one object: ${ws === rpc}`,
    );
    process.exit();
  }
}
class Gateway {
  hello() {}
}
const method = Object.getOwnPropertyDescriptor(Gateway.prototype, 'hello');
SubscribeMessage('hello')(Gateway.prototype, 'hello', method);
UseGuards(LooksFirst)(Gateway.prototype, 'hello', method);
WebSocketGateway()(Gateway);
class AppModule {}
Module({ providers: [Gateway] })(AppModule);
const app = await NestFactory.create(AppModule, { logger: false });
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(0, '127.0.0.1');
const socket = new WebSocket(`ws://127.0.0.1:${app.getHttpServer().address().port}`);
socket.on('open', () => socket.send(JSON.stringify({ event: 'hello', data: { n: 1 } })));
JS
run() {
  mkdir "$folder/$1"
  cd "$folder/$1"
  echo '{}' >package.json
  npm i --loglevel=error --no-audit --no-fund "@nestjs/common@$2" "@nestjs/core@$2" "@nestjs/platform-express@$2" \
    "@nestjs/websockets@$3" "@nestjs/platform-ws@$3" rxjs@7.8.2 reflect-metadata@0.2.2 ws@8.23.0 >&2
  cp ../app.mjs .
  printf '@nestjs/core %s: ' "$2"
  node app.mjs
}
run nest11 11.2.10 11.2.6 >"$folder/seen"
run nest12 12.5.1 12.1.1 >>"$folder/seen"
seen=$(<"$folder/seen")
echo "$seen"

expected='@nestjs/core 11.2.10: message before: {"n":1}, after: the client; one object: true
@nestjs/core 12.5.1: message before: {"n":1}, after: the client; one object: true'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: the views of a context are separate now.'
  exit 1
fi
