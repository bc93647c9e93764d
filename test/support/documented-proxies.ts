import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Program, proxies } from './programs.js';
import { openFolder, runProxy, writeInto } from './proxy-process.js';

const inRepository = (path: string): string =>
  readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8');
const guide = inRepository('docs/scaling.md');
const compose = inRepository('examples/compose/nginx.conf');

/** The guide's configuration of a proxy, adapted to the addresses of a test. */
export function printed(language: string, port: number, backends: readonly number[]): string {
  const [, text = ''] = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(guide) ?? [];
  expect(text).not.toBe('');
  return backends.reduce(
    (before, backend, i) => {
      const address = new RegExp(`10\\.0\\.0\\.${String(i + 1)}(\\D*?)8081`, 'g');
      return before.replace(address, `127.0.0.1$1${String(backend)}`);
    },
    text.replace(/8080/, String(port)),
  );
}

export interface Proxy {
  readonly program: Program;
  readonly language: string;
  /** The lines without which the proxy passes no `Upgrade`. */
  readonly upgrades?: RegExp;
  /** Completes the configuration so that it runs in a private folder, and starts the proxy. */
  readonly run: (text: string, port: number, folder: string) => Promise<void>;
}

const apacheModules =
  'mpm_event authz_core proxy proxy_http proxy_balancer slotmem_shm lbmethod_bybusyness'.split(' ');

export const documentedProxies: readonly Proxy[] = [
  {
    program: proxies.haproxy,
    language: 'haproxy',
    run: async (text, port, folder) => {
      const health = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
      onTestFinished(() => void health.close());
      await new Promise((done) => health.once('listening', done));
      const checked = text.replaceAll('9090', String((health.address() as AddressInfo).port));
      await runProxy(port, 'haproxy', ['-db', '-f', writeInto(folder, 'haproxy.cfg', checked)]);
    },
  },
  {
    program: proxies.apache,
    language: 'apache',
    upgrades: / upgrade=websocket/,
    run: (text, port, folder) => {
      const own = [
        ...apacheModules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
        `ServerName localhost\nServerRoot ${folder}\nDefaultRuntimeDir ${folder}\nPidFile ${folder}/pid`,
        `ErrorLog ${folder}/error.log\nListen 127.0.0.1:${String(port)}\nUser www-data\nGroup www-data\n`,
      ].join('\n');
      return runProxy(port, 'apache2', [
        '-D',
        'FOREGROUND',
        '-f',
        writeInto(folder, 'apache.conf', own + text),
      ]);
    },
  },
  {
    program: proxies.caddy,
    language: 'caddyfile',
    run: (text, port, folder) => {
      const file = writeInto(folder, 'Caddyfile', text.replace('{\n', '{\n  admin off\n'));
      const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
      return runProxy(port, 'caddy', ['run', '--adapter', 'caddyfile', '--config', file], home);
    },
  },
  {
    program: proxies.lighttpd,
    language: 'lighttpd',
    upgrades: /^ *proxy\.header.*$/,
    run: (text, port, folder) =>
      runProxy(port, 'lighttpd', ['-D', '-f', writeInto(folder, 'lighttpd.conf', text)]),
  },
  {
    program: proxies.varnish,
    language: 'vcl',
    upgrades: /^ *set bereq\.http\.Upgrade.*$/,
    run: (text, port, folder) => {
      const where = ['-a', `127.0.0.1:${String(port)}`, '-n', join(folder, 'work'), '-s', 'malloc,16m'];
      return runProxy(port, 'varnishd', ['-F', ...where, '-f', writeInto(folder, 'live.vcl', text)]);
    },
  },
  {
    program: proxies.squid,
    language: 'squid',
    upgrades: /^http_upgrade.*$/,
    run: (text, port, folder) => {
      const own = `pid_filename none\ncache_log ${folder}/cache.log\naccess_log none\nshutdown_lifetime 0 seconds\n`;
      const file = writeInto(folder, 'squid.conf', `${own}visible_hostname localhost\n${text}`);
      return runProxy(port, 'squid', ['-N', '-f', file]);
    },
  },
  {
    program: proxies.h2o,
    language: 'yaml',
    upgrades: /^ *proxy\.websocket.*$/,
    run: (text, port, folder) =>
      runProxy(port, 'h2o', ['-c', writeInto(folder, 'h2o.conf', `user: nobody\n${text}`)]),
  },
];

/** Starts a proxy with its documented configuration in front of two instances. */
export type Start = (
  port: number,
  backends: readonly number[],
  change?: (text: string) => string,
) => Promise<void>;

const same = (text: string): string => text;

/** The ports of an instance. */
export interface InstancePorts {
  readonly http: number;
  readonly sockets: number;
}

/** Starts nginx with the configuration of examples/compose, adapted to the addresses of a test. */
export function startNginx(
  port: number,
  [one, two]: readonly [InstancePorts, InstancePorts],
  change = same,
): Promise<void> {
  const folder = openFolder();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/${name};\n`)
    .join('');
  const conf = compose
    .replace('listen 8080', `listen 127.0.0.1:${String(port)}`)
    .replaceAll('one:8081', `127.0.0.1:${String(one.sockets)}`)
    .replaceAll('one:9090', `127.0.0.1:${String(one.http)}`)
    .replaceAll('two:8081', `127.0.0.1:${String(two.sockets)}`)
    .replaceAll('two:9090', `127.0.0.1:${String(two.http)}`)
    .replace('/dev/stdout', `${folder}/access.log`)
    .replace('http {', `http {\n${temporary}`);
  const more = `daemon off; pid ${folder}/pid;`;
  const file = writeInto(folder, 'nginx.conf', change(conf));
  return runProxy(port, 'nginx', ['-p', folder, '-c', file, '-e', 'stderr', '-g', more]);
}

const onePort = (port = 0): InstancePorts => ({ http: port, sockets: port });
const nginx: Start = (port, [one, two], change) => startNginx(port, [onePort(one), onePort(two)], change);

const fromGuide =
  ({ language, run }: Proxy): Start =>
  (port, backends, change = same) =>
    run(change(printed(language, port, backends)), port, openFolder());

/** A documented proxy that a test can start. */
export interface Startable {
  readonly program: Program;
  readonly start: Start;
}

export const everyProxy: readonly Startable[] = [
  { program: proxies.nginx, start: nginx },
  ...documentedProxies.map((proxy) => ({ program: proxy.program, start: fromGuide(proxy) })),
];

const recommended: readonly Program[] = [proxies.nginx, proxies.haproxy, proxies.apache, proxies.caddy];

/** The proxies that the guide recommends for several instances. */
export const balancers = everyProxy.filter(({ program }) => recommended.includes(program));
