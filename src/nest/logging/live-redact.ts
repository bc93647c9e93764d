/** What may be logged of the addresses; their query strings may carry credentials. */
const addresses: ReadonlySet<string> = new Set(['url', 'referer', 'location']);

/**
 * For pino's `redact`: keeps the credentials of requests, and of errors that carry a request, out of the log. The live
 * module itself logs none; pino-http logs every header of the application's own requests.
 *
 * ```ts
 * LoggerModule.forRoot({ pinoHttp: { redact: liveRedact } });
 * LoggerModule.forRoot({ pinoHttp: { redact: { ...liveRedact, paths: [...liveRedact.paths, 'req.headers["x-key"]'] } } });
 * ```
 *
 * @publicApi
 */
export const liveRedact: { paths: string[]; censor: (value: unknown, path: string[]) => unknown } = {
  paths: [
    'req.headers.authorization',
    'req.headers["proxy-authorization"]',
    'req.headers.cookie',
    'req.headers["sec-websocket-protocol"]',
    'req.headers.referer',
    'req.url',
    'req.query',
    'res.headers["set-cookie"]',
    'res.headers.location',
    'connection.cookieHeader',
    // As HTTP clients hang them on their errors, axios for one.
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
