import {
  ArrayMinSize,
  IsBoolean,
  IsIn,
  IsInt,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  type ValidationOptions,
} from 'class-validator';
import type { LiveModuleOptions } from 'nestjs-live';
import { checkOptions, publicKeyOf } from 'nestjs-live/parts';
import { areBrokerAddresses } from './broker-address.js';
import type { Rule } from './variable.js';

const asIs = (text: string): string => text;

export function wholeNumber(from: number, to: number): Rule {
  return {
    allowed: `a whole number from ${String(from)} to ${String(to)}`,
    parse: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
    checks: [IsInt(), Min(from), Max(to)],
  };
}

export function matching(pattern: RegExp, allowed: string): Rule {
  return { allowed, parse: asIs, checks: [Matches(pattern)] };
}

export function oneOf(...words: readonly string[]): Rule {
  return { allowed: `one of ${words.join(', ')}`, parse: asIs, checks: [IsIn(words)] };
}

export function onOrOff(): Rule {
  const words: Readonly<Record<string, boolean>> = { true: true, false: false };
  return { allowed: 'true or false', parse: (text) => words[text] ?? text, checks: [IsBoolean()] };
}

/** A secret of at least `minBytes` bytes. */
export function secretText(minBytes: number, howTo: string): Rule {
  return {
    allowed: `at least ${String(minBytes)} bytes of visible ASCII (${howTo})`,
    parse: asIs,
    secret: true,
    checks: [Matches(new RegExp(`^[\\x21-\\x7e]{${String(minBytes)},}$`)), MaxLength(4_096)],
  };
}

/** An absolute http or https address without a user name. */
export function webAddress(loopbackMayBeHttp: boolean): Rule {
  return {
    allowed: loopbackMayBeHttp
      ? 'an https:// address without a user name (http:// only on a loopback address)'
      : 'an http:// or https:// address without a user name',
    parse: asIs,
    checks: [
      check('webAddress', (value) => {
        const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
        if (url === undefined || url.username !== '' || url.password !== '') return false;
        return (
          url.protocol === 'https:' ||
          (url.protocol === 'http:' && (!loopbackMayBeHttp || isLoopback(url.hostname)))
        );
      }),
    ],
  };
}

/** PEM text, where `\n` may replace line ends, or a JWK as JSON. */
export function publicKey(): Rule {
  return {
    allowed: 'the PEM text of a public key (\\n may replace line ends), or a JWK as JSON',
    parse: (text) => {
      const pem = text.replaceAll('\\n', '\n');
      if (!text.trimStart().startsWith('{')) return pem;
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    },
    // It may be the private key by mistake.
    secret: true,
    checks: [check('publicKey', passes(publicKeyOf))],
  };
}

/** Addresses of a broker, which may contain a password. */
export function brokerAddress(): Rule {
  return {
    allowed:
      'redis:// or rediss:// (TLS) followed by [user:password@]host[:port][/database], or nats:// or tls:// (NATS with TLS) ' +
      'followed by [user:password@|token@]host[:port], or a comma-separated list for a cluster, or for Sentinel ' +
      'redis+sentinel://[user:password@]host:port,host:port/master[/database]',
    parse: asIs,
    secret: true,
    checks: [check('brokerAddress', (value) => typeof value === 'string' && areBrokerAddresses(value))],
  };
}

/** A comma-separated list of origins, each as a browser sends it. */
export function originList(): Rule {
  return {
    allowed:
      'a comma-separated list of origins as browsers send them, such as https://app.example,http://localhost:5173, or https://*.app.example',
    parse: (text) => text.split(',').map((origin) => origin.trim()),
    checks: [ArrayMinSize(1), check('originList', isRightFor('allowedOrigins'))],
  };
}

/** The number of proxies, or a comma-separated list of their addresses and networks. */
export function proxies(): Rule {
  return {
    allowed:
      'a number from 0 to 10, or a comma-separated list of addresses and networks, such as 10.0.0.0/8,fd00::/8',
    parse: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text.split(',').map((each) => each.trim())),
    checks: [check('proxies', isRightFor('trustedProxies'))],
  };
}

/** Whether a host name always means this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/** A check that passes if the module takes the value for this option. */
function isRightFor(option: keyof LiveModuleOptions): (value: unknown) => boolean {
  return passes((value) => checkOptions({ [option]: value }));
}

/** A check that passes if the module's own validation does not throw. */
function passes(validate: (value: unknown) => unknown): (value: unknown) => boolean {
  return (value) => {
    try {
      validate(value);
      return true;
    } catch {
      return false;
    }
  };
}

function check(
  name: string,
  validate: (value: unknown) => boolean,
  options: ValidationOptions = {},
): PropertyDecorator {
  return ValidateBy({ name, validator: { validate } }, options);
}
