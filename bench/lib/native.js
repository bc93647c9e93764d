// The addon of nestjs-live-native, compiled if this machine has a compiler.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';

const folder = new URL('../../native/', import.meta.url);
const binary = new URL(`prebuilds/${process.platform}-${process.arch}.node`, folder);

/** Why it cannot be used here. */
export function missingNative() {
  if (existsSync(binary)) return undefined;
  try {
    execFileSync(process.execPath, [new URL('build.mjs', folder).pathname], { stdio: 'ignore' });
  } catch {
    // It says below what is missing.
  }
  return existsSync(binary) ? undefined : 'on Linux, apt-get install gcc libc6-dev';
}

export async function sendBatch() {
  const addon = await import(new URL('index.js', folder).href);
  return addon.sendBatch;
}
