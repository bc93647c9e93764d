import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { ServerSettings } from './settings.js';
import { hasNoCredentialSource } from './settings/contradictions.js';

/** The plan of this run: the settings, and every value that follows from them. */
export class ServerPlan {
  constructor(
    readonly settings: ServerSettings,
    readonly instanceId: string,
    /**
     * No credential source is configured: everything stays on this machine, and the page signs
     * itself in.
     */
    readonly development: boolean,
    /**
     * Known before anything listens, because it is part of the page's origin. 0 only where that
     * does not matter.
     */
    readonly httpPort: number,
    /** Signs and checks tokens. Absent with another source of credentials. */
    readonly jwtSecret: string | undefined,
    /** Absent if publishing over HTTP is off. */
    readonly publishKey: string | undefined,
    readonly allowedOrigins: readonly string[] | undefined,
    /** Whether vehicles move on `fleet/demo`. */
    readonly demo: boolean,
  ) {}
}

/**
 * Generates what development mode needs: a secret, a publish key, the page's origins. Expects
 * settings without problems.
 */
export async function planServer(settings: ServerSettings): Promise<ServerPlan> {
  const development = hasNoCredentialSource(settings);
  const httpPort =
    development && settings.HTTP_PORT === 0 ? await freePort(settings.HTTP_HOST) : settings.HTTP_PORT;
  const ownOrigins = development ? originsOf(settings.HTTP_HOST, httpPort) : [];
  const { LIVE_ALLOWED_ORIGINS } = settings;
  return new ServerPlan(
    settings,
    settings.INSTANCE_ID ??
      `${hostname()
        .replace(/[^\w.:-]/g, '-')
        .slice(0, 100)}-${String(process.pid)}`,
    development,
    httpPort,
    development ? randomBytes(32).toString('base64url') : settings.LIVE_JWT_SECRET,
    settings.LIVE_PUBLISH_KEY ?? (development ? randomBytes(24).toString('base64url') : undefined),
    development || LIVE_ALLOWED_ORIGINS ? [...ownOrigins, ...(LIVE_ALLOWED_ORIGINS ?? [])] : undefined,
    settings.LIVE_DEMO ?? development,
  );
}

/** The origins under which a browser on this machine opens the page. */
function originsOf(host: string, port: number): string[] {
  const names = ['127.0.0.1', 'localhost', urlHost(host)];
  // A browser omits the default port of the scheme.
  return [...new Set(names)].map((name) => new URL(`http://${name}:${String(port)}`).origin);
}

/** A host as it is written in an address. */
export function urlHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** A port that was free a moment ago. */
function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
