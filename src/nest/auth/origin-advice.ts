import { isOrigin, type OriginRefusal, valuesOf } from './origin.js';

/** Advice for the log on how to allow your own page, or what to check. */
export function originAdvice(refusal: OriginRefusal, rawHeaders: readonly string[]): string {
  const [origin = ''] = valuesOf('origin', rawHeaders);
  switch (refusal) {
    case 'origin-not-allowed':
    case 'origin-with-cookie':
    case 'origin-with-credential':
      return isOrigin(origin)
        ? `If the page is yours, add its origin: allowedOrigins: ['${origin}']`
        : 'No option allows an origin that is written like this';
    case 'origin-null':
      return 'The page is sandboxed or a local file: serve it over HTTP';
    case 'origin-missing':
      return 'The proxy in front must pass the Origin header';
    case 'origin-doubled':
      return 'The proxy in front must pass one Origin header';
  }
}
