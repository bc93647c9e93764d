/** Fields that are logged without their query string, which may contain credentials. */
const addresses: ReadonlySet<string> = new Set(['url', 'referer', 'location']);

/**
 * For pino's `redact`: removes credentials of requests, and of errors that hold a request, from the
 * log. The live module itself logs none, but pino-http logs every header of the application's own
 * requests.
 *
 * ```ts
 * LoggerModule.forRoot({ pinoHttp: { redact: liveRedact } });
 * const paths = [...liveRedact.paths, 'req.headers["x-key"]'];
 * LoggerModule.forRoot({ pinoHttp: { redact: { ...liveRedact, paths } } });
 * ```
 */
export const liveRedact: {
  /** Where pino looks for credentials. */
  paths: string[];
  /** Returns what is logged instead. */
  censor: (value: unknown, path: string[]) => unknown;
} = {
  paths: [
    'req.headers.authorization',
    'req.headers["proxy-authorization"]',
    'req.headers.cookie',
    'req.headers["sec-websocket-protocol"]',
    'req.headers["live-session"]',
    'req.headers.referer',
    'req.url',
    'req.query',
    'res.headers["set-cookie"]',
    'res.headers.location',
    'connection.cookieHeader',
    // HTTP clients such as axios attach these to their errors.
    'err.config',
    'err.request',
    'err.response.config',
    'err.response.request',
  ],
  censor: (value, path) => {
    if (typeof value !== 'string' || !addresses.has(path.at(-1) ?? '')) return '[redacted]';
    const query = value.indexOf('?');
    return query < 0 ? value : `${value.slice(0, query)}?[redacted]`;
  },
};
