// A nats-server with JetStream for the benchmark.
import { startServer, versionText } from './own-server.js';
import { cpuMicrosOf } from './process-cost.js';

/** Its version, or `undefined` if it is not installed. */
export function natsVersion() {
  return versionText('nats-server', '--version')?.replace(/^.*v/, '');
}

export async function startNats() {
  const args = (port, folder) =>
    ['-a', '127.0.0.1', '-p', port, '-js', '-sd', folder, '-l', `${folder}/log`].map(String);
  const server = await startServer({ program: 'nats-server', args });
  return {
    url: `nats://127.0.0.1:${String(server.port)}`,
    /** Microseconds of CPU since its start. */
    cpuMicros: () => cpuMicrosOf(server.pid),
    stop: () => server.stop(),
  };
}
