import { describe, expect, it } from 'vitest';
import { ServerSettings } from '../settings.js';
import { helpText } from './help.js';
import { variablesOf } from './variable.js';

describe('--help', () => {
  it('[S17] the help names every environment variable', () => {
    const names = variablesOf(ServerSettings).map(({ name }) => name);
    const expected =
      'INSTANCE_ID LIVE_WS_HOST LIVE_WS_PORT LIVE_WS_PATH LIVE_WS_PING_INTERVAL_MS ' +
      'LIVE_WS_PONG_TIMEOUT_MS LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES LIVE_WS_DRAIN_TIMEOUT_MS ' +
      'LIVE_DRAIN_WINDOW_MS LIVE_DRAIN_NOTICE_MS ' +
      'HTTP_HOST HTTP_PORT LIVE_ALLOWED_ORIGINS LIVE_REQUIRE_ORIGIN LIVE_SSE LIVE_JWT_SECRET LIVE_JWKS_URL ' +
      'LIVE_JWT_SECRET_PREVIOUS LIVE_JWT_PUBLIC_KEY LIVE_COOKIE_NAME ' +
      'LIVE_JWT_ISSUER LIVE_JWT_AUDIENCE LIVE_JWT_REQUIRE_EXP LIVE_SESSION_URL LIVE_PUBLISH_KEY LOG_LEVEL ' +
      'LIVE_HISTORY_SIZE LIVE_HISTORY_TTL_MS LIVE_MAX_VERSION_AHEAD_MS LIVE_MAX_CONNECTIONS ' +
      'LIVE_MAX_CONNECTIONS_PER_USER LIVE_MAX_CONNECTIONS_PER_ADDRESS LIVE_TRUSTED_PROXIES LIVE_PROXY_PROTOCOL LIVE_BROKER_URL ' +
      'LIVE_NATS_STREAM LIVE_NATS_DOMAIN LIVE_NATS_STORAGE LIVE_NATS_REPLICAS LIVE_NATS_MAX_BYTES ' +
      'LIVE_INGEST LIVE_DEMO LIVE_WS_SOCKET_PATH LIVE_MAX_SNAPSHOT_BYTES ';
    expect(names.toSorted()).toEqual(expected.trim().split(' ').toSorted());
    const text = helpText('1.2.3');
    for (const name of names) expect(text).toContain(`  ${name}\n`);
  });

  it('the help shows the default of every variable, and never "undefined"', () => {
    const text = helpText('1.2.3');
    expect(text.match(/Default: /g)).toHaveLength(variablesOf(ServerSettings).length);
    expect(text).not.toContain('undefined');
    expect(text).toContain('Default: 8081. Allowed: a whole number from 0 to 65535.');
  });
});
