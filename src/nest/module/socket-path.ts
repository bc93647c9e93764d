import { contradictoryOptions, unixSocketWithoutAddress, wrongOption } from '../options/live.errors.js';
import { textOption } from '../options/option-checks.js';
import type { LiveModuleOptions } from '../options/live.options.js';

/** Longer paths do not fit into the address of a Unix socket on every system. */
const maxSocketPathBytes = 103;

export function socketPathOf({ socketPath, port, host, trustedProxies }: LiveModuleOptions): string {
  if (typeof trustedProxies === 'object') throw unixSocketWithoutAddress();
  if (port !== undefined || host !== undefined)
    throw contradictoryOptions('socketPath', port === undefined ? 'host' : 'port');
  const path = textOption('socketPath', socketPath, /^\/[^:\0]+$/, 'an absolute path without ":"');
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
  throw wrongOption('socketPath', path, `a path of at most ${String(maxSocketPathBytes)} bytes`);
}
