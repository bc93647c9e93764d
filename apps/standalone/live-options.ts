import type { CanActivate, Type } from '@nestjs/common';
import { JwtConnectionGuard, type LiveModuleOptions, SessionConnectionGuard } from 'nestjs-live';
import type { ServerPlan } from './server-plan.js';

/** Converts the server's settings to module options. */
export function liveOptionsOf(
  plan: ServerPlan,
): LiveModuleOptions & { readonly guards: readonly Type<CanActivate>[] } {
  const { settings, allowedOrigins } = plan;
  const { LIVE_TRUSTED_PROXIES, LIVE_WS_HOST, LIVE_WS_PORT, LIVE_WS_SOCKET_PATH } = settings;
  return {
    ...(LIVE_WS_SOCKET_PATH === undefined
      ? { host: LIVE_WS_HOST, port: LIVE_WS_PORT }
      : { socketPath: LIVE_WS_SOCKET_PATH }),
    path: settings.LIVE_WS_PATH,
    instanceId: plan.instanceId,
    pingIntervalMs: settings.LIVE_WS_PING_INTERVAL_MS,
    pongTimeoutMs: settings.LIVE_WS_PONG_TIMEOUT_MS,
    backPressureThresholdBytes: settings.LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES,
    drainTimeoutMs: settings.LIVE_WS_DRAIN_TIMEOUT_MS,
    drainWindowMs: settings.LIVE_DRAIN_WINDOW_MS,
    drainNoticeMs: settings.LIVE_DRAIN_NOTICE_MS,
    maxSnapshotBytes: settings.LIVE_MAX_SNAPSHOT_BYTES,
    maxConnections: settings.LIVE_MAX_CONNECTIONS,
    maxConnectionsPerUser: settings.LIVE_MAX_CONNECTIONS_PER_USER,
    maxConnectionsPerAddress: settings.LIVE_MAX_CONNECTIONS_PER_ADDRESS,
    ...(LIVE_TRUSTED_PROXIES !== undefined && { trustedProxies: LIVE_TRUSTED_PROXIES }),
    ...(allowedOrigins && { allowedOrigins }),
    proxyProtocol: settings.LIVE_PROXY_PROTOCOL,
    requireOrigin: settings.LIVE_REQUIRE_ORIGIN,
    sse: settings.LIVE_SSE,
    ...credentialsOf(plan),
  };
}

function credentialsOf({ settings, jwtSecret }: ServerPlan): Pick<LiveModuleOptions, 'jwt' | 'session'> & {
  readonly guards: readonly Type<CanActivate>[];
} {
  const { LIVE_SESSION_URL, LIVE_JWKS_URL, LIVE_JWT_ISSUER, LIVE_JWT_AUDIENCE, LIVE_JWT_REQUIRE_EXP } =
    settings;
  if (LIVE_SESSION_URL !== undefined) {
    return { guards: [SessionConnectionGuard], session: { url: LIVE_SESSION_URL } };
  }
  const { LIVE_JWT_PUBLIC_KEY, LIVE_JWT_SECRET_PREVIOUS: previous } = settings;
  const jwt = {
    ...(jwtSecret !== undefined && { secret: previous === undefined ? jwtSecret : [jwtSecret, previous] }),
    ...(LIVE_JWT_PUBLIC_KEY !== undefined && { publicKey: LIVE_JWT_PUBLIC_KEY }),
    cookieName: settings.LIVE_COOKIE_NAME,
    ...(LIVE_JWKS_URL !== undefined && { jwksUrl: LIVE_JWKS_URL }),
    ...(LIVE_JWT_ISSUER !== undefined && { issuer: LIVE_JWT_ISSUER }),
    ...(LIVE_JWT_AUDIENCE !== undefined && { audience: LIVE_JWT_AUDIENCE }),
    requireExpiry: LIVE_JWT_REQUIRE_EXP,
  };
  return { guards: [JwtConnectionGuard], jwt };
}
