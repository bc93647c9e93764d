// A redis-server for the benchmark.
import { startServer, versionText } from './own-server.js';

/** Its version, or `undefined` if it is not installed. */
export function redisVersion() {
  return /v=(\S+)/.exec(versionText('redis-server', '--version') ?? '')?.[1];
}

export async function startRedis() {
  const args = (port, folder) =>
    ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', folder, '--logfile', 'log'].map(String);
  const server = await startServer({ program: 'redis-server', args });
  return { url: `redis://127.0.0.1:${String(server.port)}`, stop: () => server.stop() };
}
