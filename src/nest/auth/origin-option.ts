import { optionError } from '../options/live.errors.js';

/**
 * Validates the option `allowedOrigins` at start. Each entry must be written exactly as browsers
 * send it, or be `https://*.` and a domain. Accepts `undefined` (no list). Throws an Error with the
 * first invalid value and its fix.
 */
export function validateAllowedOrigins(list: readonly string[] | undefined): void {
  if (list === undefined) return;
  // Strings also have `includes`, which would compare substrings.
  if (!Array.isArray(list))
    throw optionError('allowedOrigins', 'is not an array', "Write ['https://app.example']");
  for (const value of list as readonly unknown[]) {
    const [problem, fix] = complaintAbout(value) ?? [];
    if (problem && fix) throw optionError('allowedOrigins', `${problem}: ${JSON.stringify(value)}`, fix);
  }
}

export const labels = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

type Complaint = readonly [problem: string, fix: string];

export function complaintAbout(value: unknown): Complaint | undefined {
  if (typeof value !== 'string') return ['holds something that is no string', "Write 'https://app.example'"];
  if (value === 'null') {
    return [
      'holds what every sandboxed page sends',
      "Serve the page over https and write that page's origin",
    ];
  }
  if (value.includes('*')) return wildcardComplaint(value);
  const scheme = value.slice(0, Math.max(0, value.indexOf('://')));
  if (scheme === '') return ['holds an origin without a scheme', "Write 'https://' in front"];
  if (/^wss?$/i.test(scheme)) {
    return ["holds a socket's address", "Write the page's origin, which starts with 'https://' or 'http://'"];
  }
  return /^https?$/i.test(scheme) ? webComplaint(value) : appComplaint(value);
}

/**
 * Only whole labels before a domain are allowed; `https://*example.com` or `https://*.com` would
 * match hosts of strangers.
 */
function wildcardComplaint(value: string): Complaint | undefined {
  const fix = "Write 'https://*.example.com' for all sub-domains, or each origin in full";
  const example = value.replace('://*.', '://any.');
  const isHost = /^https?:\/\/any\.(?!\d+(?:\.\d+)*(?::|$))[^.*]+(?:\.[^.*]+)+$/.test(example);
  return isHost && webComplaint(example) === undefined ? undefined : ['holds a wildcard', fix];
}

function webComplaint(value: string): Complaint | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url)
    return ['holds what is no origin', "Write scheme, host and port, as in 'https://app.example:8443'"];
  if (url.origin === value) return undefined;
  const fix = `Write '${url.origin}'`;
  if (url.username || url.password) return ['holds an origin with a user name', fix];
  if (url.pathname !== '/' || url.search || url.hash) return ['holds an origin with a path', fix];
  if (value.endsWith('/')) return ['holds an origin with a trailing slash', fix];
  if (value.toLowerCase() === url.origin) return ['holds an origin with upper-case letters', fix];
  if (/:\d+$/.test(value) && url.port === '') return ["holds an origin with its scheme's default port", fix];
  return ['holds an origin that browsers write in another way', fix];
}

/** App schemes such as `capacitor://localhost`, for which `URL` has no origin. */
function appComplaint(value: string): Complaint | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]*(:\d+)?$/.test(value)) return undefined;
  return ['holds what is no origin', 'Write scheme and host in lower case, without a slash at the end'];
}
