/** What the standalone server needs beside the client of a broker; optional for the library. */
export const serverPackages: readonly string[] = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-ws',
  '@nestjs/terminus',
  '@nestjs/websockets',
  'class-transformer',
  'class-validator',
  'jose',
  'nestjs-pino',
  'pino',
  'pino-http',
  'prom-client',
  'reflect-metadata',
  'rxjs',
];

/** Those of them that are not installed where the server would load them. */
export function missingPackages(
  names: readonly string[] = serverPackages,
  resolve: (name: string) => unknown = (name) => import.meta.resolve(name),
): string[] {
  return names.filter((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}

/** The one line to write when packages are missing. */
export function missingText(missing: readonly string[]): string {
  return (
    `nestjs-live cannot start: the standalone server needs packages that are not installed:\n` +
    `  npm install ${missing.join(' ')}\n` +
    'LIVE_BROKER_URL needs the client of its broker, too: @redis/client, or @nats-io/transport-node and @nats-io/jetstream.\n'
  );
}
