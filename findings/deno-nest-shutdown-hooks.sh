#!/usr/bin/env bash
# Nest's `enableShutdownHooks()` throws on Deno unless it is given signals.
#
# Surprise: without arguments Nest listens to every signal of its enum, among them SIGILL. Node
#   takes a listener for it; Deno throws a TypeError, so the usual first line of a graceful shutdown
#   stops the application at its start.
# Matters to: Nest applications that are to run on Deno, and other code that registers for all
#   signals at once.
# Do: name what you mean: `app.enableShutdownHooks(['SIGTERM', 'SIGINT'])`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund @nestjs/common@12.5.1 @nestjs/core@12.5.1 rxjs@7.8.2 reflect-metadata@0.2.2 \
  @deno/linux-x64-glibc@2.9.6

cat >app.mjs <<'JS'
import 'reflect-metadata';
import process from 'node:process';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
class AppModule {}
Module({})(AppModule);
const name = globalThis.Deno ? `Deno ${Deno.version.deno}` : 'Node';
for (const signals of [undefined, ['SIGTERM', 'SIGINT']]) {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  let outcome = 'fine';
  try {
    app.enableShutdownHooks(signals);
  } catch (error) {
    outcome = `${error.name}: ${error.message}`;
  }
  console.log(`${name}, enableShutdownHooks(${signals ?? ''}): ${outcome}`);
}
process.exit();
JS
seen=$(node app.mjs && node_modules/@deno/linux-x64-glibc/deno run --quiet --allow-all app.mjs)
printf '@nestjs/core 12.5.1\n%s\n' "$seen"

expected="Node, enableShutdownHooks(): fine
Node, enableShutdownHooks(SIGTERM,SIGINT): fine
Deno 2.9.6, enableShutdownHooks(): TypeError: Binding to signal 'SIGILL' is not allowed
Deno 2.9.6, enableShutdownHooks(SIGTERM,SIGINT): fine"
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: Deno takes other signals now.'
  exit 1
fi
