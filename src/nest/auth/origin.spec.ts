import { describe, expect, it } from 'vitest';
import { originVerdict } from './origin.js';
import { validateAllowedOrigins } from './origin-option.js';

const good = 'https://good.example';
const named = { allowedOrigins: [good, 'http://localhost:3000'] };
const from = (...origins: string[]): string[] => [
  'Host',
  'h',
  ...origins.flatMap((origin) => ['Origin', origin]),
];
const list = (value: unknown) => () => validateAllowedOrigins(value as string[]);
const withCookie = (...origins: string[]): string[] => [...from(...origins), 'Cookie', 'a=b'];

describe('origin: verdict', () => {
  it('[L-1.7] an origin that is allowed by name passes, with cookies too', () => {
    expect(originVerdict(withCookie(good), named)).toBe('ok');
    expect(originVerdict(withCookie('http://localhost:3000'), named)).toBe('ok');
  });

  it.each([
    'https://good.example.evil',
    'https://goodXexample',
    'https://evil.example/https://good.example',
    'https://sub.good.example',
    'https://good.example:444',
    'https://good.example:443',
    'https://good.example/',
    'HTTPS://GOOD.EXAMPLE',
    'https://Good.example',
    'http://good.example',
    'good.example',
    'https://good.exampl',
    'https://good.example,https://evil.example',
    'https://good.example https://evil.example',
    '*',
    '',
  ])('[L-1.7] the origin %j is refused', (origin) => {
    expect(originVerdict(from(origin), named)).toBe('origin-not-allowed');
  });

  it('[L-1.7] null is refused, with a list and without', () => {
    expect(originVerdict(from('null'), named)).toBe('origin-null');
    expect(originVerdict(from('null'), { allowedOrigins: ['null'] })).toBe('origin-null');
    expect(originVerdict(from('null'), {})).toBe('origin-null');
  });

  it('[L-1.7] a client without an origin passes, with cookies too', () => {
    expect(originVerdict(withCookie(), named)).toBe('ok');
    expect(originVerdict(withCookie(), {})).toBe('ok');
    expect(originVerdict([], {})).toBe('ok');
  });

  it('[L-1.7] with requireOrigin, a credential that browsers add is refused without an origin, and no other is', () => {
    const certificate = { getPeerCertificate: () => ({ subject: {} }) };
    for (const rules of [{ ...named, requireOrigin: true }, { requireOrigin: true }]) {
      expect(originVerdict(withCookie(), rules)).toBe('origin-missing');
      expect(originVerdict([...from(), 'Authorization', 'Basic YTpi'], rules)).toBe('origin-missing');
      expect(originVerdict(from(), rules, certificate)).toBe('origin-missing');
      expect(originVerdict([...from(), 'Authorization', 'Bearer t'], rules)).toBe('ok');
      expect(originVerdict([], rules)).toBe('ok');
    }
    expect(originVerdict(withCookie(good), { ...named, requireOrigin: true })).toBe('ok');
    expect(originVerdict(withCookie(), { ...named, requireOrigin: false })).toBe('ok');
  });

  it('[L-1.7] without a list, an origin together with a cookie is refused, and one without passes', () => {
    expect(originVerdict(withCookie(good), {})).toBe('origin-with-cookie');
    expect(originVerdict([...from(good), 'cOOkie', ''], {})).toBe('origin-with-cookie');
    expect(originVerdict(from(good), {})).toBe('ok');
    expect(originVerdict(from(''), {})).toBe('origin-not-allowed');
  });

  it.each([
    'Basic YW5uOnB3',
    'Negotiate YII=',
    'Digest username="ann"',
    'NTLM TlRM',
    'Bearer',
    'Bearerx a',
    '',
  ])(
    '[L-1.7] without a list, an origin with the Authorization %j is refused, because browsers add such headers themselves',
    (value) => {
      expect(originVerdict([...from(good), 'Authorization', value], {})).toBe('origin-with-credential');
      expect(originVerdict([...from(good), 'Authorization', value], named)).toBe('ok');
      expect(originVerdict(['Host', 'h', 'Authorization', value], {})).toBe('ok');
    },
  );

  it('[L-1.7] without a list, an origin together with a client certificate is refused', () => {
    const tls = (certificate: object | null) => ({ getPeerCertificate: () => certificate });
    expect(originVerdict(from(good), {}, tls({ subject: { CN: 'ann' } }))).toBe('origin-with-credential');
    expect(originVerdict(from(good), {}, tls({}))).toBe('ok');
    expect(originVerdict(from(good), {}, tls(null))).toBe('ok');
    expect(originVerdict(from(good), {}, {})).toBe('ok');
    expect(originVerdict(from(), {}, tls({ subject: {} }))).toBe('ok');
  });

  it('[L-1.7] without a list, a Bearer header passes with any origin, but not together with a cookie', () => {
    const bearer = ['Authorization', 'bEaReR abc'];
    expect(originVerdict([...from('https://any.example'), ...bearer], {})).toBe('ok');
    expect(originVerdict([...withCookie(good), ...bearer], {})).toBe('origin-with-cookie');
    expect(originVerdict([...from('null'), ...bearer], {})).toBe('origin-null');
  });

  it.each([
    ['http://live.example:8081', 'ok'],
    ['https://live.example:8081', 'ok'],
    ['wss://LIVE.example:8081', 'ok'],
    ['https://live.example', 'origin-not-allowed'],
    ['https://evil.example', 'origin-not-allowed'],
    ['https://live.example:8081.evil.example', 'origin-not-allowed'],
    ['ftp://live.example:8081', 'origin-not-allowed'],
    ['live.example:8081', 'origin-not-allowed'],
    ['', 'origin-not-allowed'],
    ['null', 'origin-null'],
  ])(
    '[L-1.7] with a list, a program whose Bearer header comes with the origin %j gets %s',
    (origin, verdict) => {
      const program = ['Host', 'live.example:8081', 'Origin', origin, 'Authorization', 'Bearer abc'];
      expect(originVerdict(program, named)).toBe(verdict);
      if (verdict !== 'ok') return;
      const certificate = { getPeerCertificate: () => ({ subject: {} }) };
      expect(originVerdict([...program, 'Cookie', 'a=b'], named)).toBe('origin-not-allowed');
      expect(originVerdict(program, named, certificate)).toBe('origin-not-allowed');
      expect(originVerdict(program.with(5, 'Basic abc'), named)).toBe('origin-not-allowed');
      expect(originVerdict(program.slice(0, 4), named)).toBe('origin-not-allowed');
    },
  );

  it.each([
    ['https://a.app.example', true],
    ['https://a.b-1.app.example', true],
    ['https://app.example', false],
    ['https://.app.example', false],
    ['https://evilapp.example', false],
    ['https://a.app.example.evil.example', false],
    ['https://a.app.example:8443', false],
    ['http://a.app.example', false],
    ['https://evil.example/.app.example', false],
    ['https://evil.example:1.app.example', false],
    ['https://a@evil.app.example', false],
    ['https://A.app.example', false],
  ])(
    '[L-1.7] a wildcard matches whole subdomains of its scheme and port: %s passes: %s',
    (origin, passes) => {
      const rules = { allowedOrigins: ['https://*.app.example'] };
      validateAllowedOrigins(rules.allowedOrigins);
      expect(originVerdict(from(origin), rules)).toBe(passes ? 'ok' : 'origin-not-allowed');
    },
  );

  it('[L-1.7] the requested host is not an allowed origin by itself', () => {
    const rebound = ['Host', 'evil.example', 'Origin', 'https://evil.example', 'Cookie', 'a=b'];
    expect(originVerdict(rebound, {})).toBe('origin-with-cookie');
  });

  it('[L-1.7] an empty list allows no page', () => {
    expect(originVerdict(from(good), { allowedOrigins: [] })).toBe('origin-not-allowed');
  });

  it('[L-1.5] two origins are refused, even if equal and with dangerouslyAllowAnyOrigin', () => {
    expect(originVerdict(from(good, 'https://evil.example'), named)).toBe('origin-doubled');
    expect(originVerdict(['oRIGIN', good, 'Origin', good], named)).toBe('origin-doubled');
    expect(originVerdict(from(good, good), { dangerouslyAllowAnyOrigin: true })).toBe('origin-doubled');
  });

  it('[L-1.7] any origin passes only if the option is exactly true', () => {
    expect(originVerdict(withCookie('https://evil.example'), { dangerouslyAllowAnyOrigin: true })).toBe('ok');
    const rules = { dangerouslyAllowAnyOrigin: 'false' as unknown as boolean };
    expect(originVerdict(withCookie('https://evil.example'), rules)).toBe('origin-with-cookie');
  });

  it('[L-1.7] headers with names of Object.prototype change nothing', () => {
    expect(originVerdict(['__proto__', 'x', 'constructor', good, ...from(good)], named)).toBe('ok');
    expect(originVerdict(['__proto__', 'x', 'Origin'], named)).toBe('ok');
  });
});

describe('origin: the list at start', () => {
  it.each([
    good,
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://app.example:8443',
    'https://xn--mnchen-3ya.example',
    'capacitor://localhost',
    'chrome-extension://abcdefghijklmnop',
  ])('[L-1.7] %j may be listed', (origin) => {
    expect(() => validateAllowedOrigins([origin])).not.toThrow();
  });

  it.each([
    ['https://app.example/', 'trailing slash', "Write 'https://app.example'"],
    ['https://app.example/path', 'path', "Write 'https://app.example'"],
    ['https://app.example?x=1', 'path', "Write 'https://app.example'"],
    ...[
      'https://*.example',
      '*',
      'https://*',
      'https://*app.example',
      'https://app.*.example',
      'https://*.*.app.example',
      'https://*.app.example/',
      'https://*.APP.example',
      'https://*.127.0.0.1',
      'https://*.app.example:443',
      'wss://*.app.example',
    ].map((value) => [value, 'wildcard', "Write 'https://*.example.com' for all sub-domains"]),
    ['https://App.example', 'upper-case', "Write 'https://app.example'"],
    ['HTTPS://app.example', 'upper-case', "Write 'https://app.example'"],
    ['https://app.example:443', 'default port', "Write 'https://app.example'"],
    ['http://app.example:80', 'default port', "Write 'http://app.example'"],
    ['https://münchen.example', 'another way', "Write 'https://xn--mnchen-3ya.example'"],
    ['https://u:p@app.example', 'user name', "Write 'https://app.example'"],
    [' https://app.example', 'no origin', 'in lower case'],
    ['https://app.example ', 'another way', "Write 'https://app.example'"],
    ['null', 'sandboxed', "that page's origin"],
    ['app.example', 'without a scheme', "'https://' in front"],
    ['', 'without a scheme', "'https://' in front"],
    ['wss://app.example', "socket's address", "page's origin"],
    ['https://', 'no origin', 'scheme, host and port'],
    ['capacitor://Localhost/', 'no origin', 'in lower case'],
  ])('[L-1.7] the entry %j stops the start with a fix', (origin, problem, fix) => {
    const error = thrownBy(() => validateAllowedOrigins([good, origin]));
    expect(error.message).toMatch(/^LiveModule: "allowedOrigins" holds /);
    expect(error.message).toContain(JSON.stringify(origin));
    expect(error.message).toContain(problem);
    expect(error.message).toContain(fix);
  });

  it('[L-1.7] a value that is not a list of strings stops the start', () => {
    expect(list(good)).toThrow('is not an array');
    expect(list([/good/])).toThrow('no string');
    expect(list(undefined)).not.toThrow();
    expect(list([])).not.toThrow();
  });

  it('[L-1.7] control characters of an invalid value are escaped in the error', () => {
    const { message } = thrownBy(list(['a\n\u001b[2J']));
    expect(message).toContain(String.raw`"a\n\u001b[2J"`);
  });
});

function thrownBy(act: () => void): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
