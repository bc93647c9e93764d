import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL(`prebuilds/${process.platform}-${process.arch}.node`, import.meta.url));
// Their sockets are not Node's, though they load its addons.
const isNode = process.versions.bun === undefined && process.versions.deno === undefined;

export const sendBatch = isNode && existsSync(file) ? load() : undefined;

function load() {
  const addon = { exports: {} };
  process.dlopen(addon, file);
  return addon.exports.sendBatch;
}
