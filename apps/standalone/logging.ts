import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LoggerService } from '@nestjs/common';
import type { Logger, Params } from 'nestjs-pino';
import type { LogOutput } from './log-output.js';
import type { ServerPlan } from './server-plan.js';

/** A request as pino-http serializes it before logging. */
interface ReadRequest {
  readonly id?: unknown;
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly remoteAddress?: string;
}

const secretHeaders = ['authorization', 'cookie', 'sec-websocket-protocol', 'live-session', 'set-cookie'];
const redacted = [
  ...['req.headers', 'res.headers', 'headers', '*.headers'].flatMap((place) =>
    secretHeaders.map((name) => `${place}["${name}"]`),
  ),
  ...['authorization', 'cookie', 'cookieHeader', 'token'].flatMap((name) => [name, `*.${name}`]),
];

/**
 * JSON lines on stdout, one per request, at debug for successful ones. Credentials are removed
 * everywhere.
 */
export function loggingOf({ settings, instanceId }: ServerPlan, output: LogOutput): Params {
  return {
    pinoHttp: [
      {
        level: settings.LOG_LEVEL,
        base: { instanceId },
        redact: { paths: redacted, censor: '[redacted]' },
        serializers: {
          req: loggedRequest,
          res: ({ statusCode }: { readonly statusCode?: number }) => ({ statusCode }),
        },
        customLogLevel: (_request: IncomingMessage, { statusCode }: ServerResponse, error?: Error) => {
          if (error !== undefined || statusCode >= 500) return 'error';
          return statusCode >= 400 ? 'info' : 'debug';
        },
      },
      output,
    ],
  };
}

/** Few headers, by name, and no query, since a token may be in any other place. */
function loggedRequest({ id, method, url = '', headers = {}, remoteAddress }: ReadRequest): object {
  const path = url.replace(/\?.*$/s, '?[redacted]');
  return { id, method, url: path, host: headers['host'], userAgent: headers['user-agent'], remoteAddress };
}

/** Contexts of Nest's own start messages, which would bury the addresses of the server. */
const startNoise = new Set([
  'NestFactory',
  'NestApplication',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
]);

/** Passes everything on, but Nest's start messages as `debug`. */
export function quietStart(logger: Logger): LoggerService {
  return {
    log(message: unknown, ...rest: unknown[]) {
      if (startNoise.has(String(rest.at(-1)))) logger.debug(message, ...rest);
      else logger.log(message, ...rest);
    },
    fatal: (...entry: Parameters<Logger['fatal']>) => logger.fatal(...entry),
    error: (...entry: Parameters<Logger['error']>) => logger.error(...entry),
    warn: (...entry: Parameters<Logger['warn']>) => logger.warn(...entry),
    debug: (...entry: Parameters<Logger['debug']>) => logger.debug(...entry),
    verbose: (...entry: Parameters<Logger['verbose']>) => logger.verbose(...entry),
  };
}
