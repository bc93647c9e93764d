// An nginx in front of two instances, with the configuration of examples/compose.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer, versionText } from './own-server.js';

/** Its version, or `undefined` if it is not installed. */
export function nginxVersion() {
  return versionText('nginx', '-v')?.replace(/^.*\//, '');
}

/**
 * An nginx with this configuration, which gets a port to listen on. On the core of the servers: on
 * that of the clients, it made their timers seconds late.
 *
 * @param {(port: number) => string} configuration
 * @param {string} [first] directives before it
 */
export function nginxWith(configuration, first = '') {
  return startServer({
    program: 'nginx',
    core: 0,
    signal: 'SIGTERM',
    args: (port, folder) => {
      const file = join(folder, 'nginx.conf');
      const places = `daemon off;\npid ${folder}/pid;\nerror_log ${folder}/error.log;\n`;
      writeFileSync(file, `${first}${places}${configuration(port)}`);
      return ['-p', folder, '-c', file];
    },
  });
}

/** Resolves with the URL for clients of two instances, which serve sockets below `path`. */
export async function startNginx([one, two], path) {
  const example = new URL('../../examples/compose/nginx.conf', import.meta.url);
  const text = readFileSync(example, 'utf8')
    .replace('one:8081', new URL(one).host)
    .replace('two:8081', new URL(two).host)
    .replace(/(?:one|two):9090/g, '127.0.0.1:9')
    .replace('location = /live', `location ^~ ${path}`)
    .replace(/access_log .*;/, 'access_log off;');
  const server = await nginxWith((port) => text.replace('listen 8080', `listen 127.0.0.1:${String(port)}`));
  return {
    url: `ws://127.0.0.1:${String(server.port)}${path}`,
    stop: () => server.stop(),
  };
}
