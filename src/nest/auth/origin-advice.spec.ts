import { describe, expect, it } from 'vitest';
import { originAdvice } from './origin-advice.js';

const from = (origin: string): string[] => ['Host', 'localhost:8081', 'Origin', origin];

describe('[L-1.7] originAdvice', () => {
  it.each(['origin-not-allowed', 'origin-with-cookie', 'origin-with-credential'] as const)(
    'the advice for %s is the option to set',
    (refusal) => {
      expect(originAdvice(refusal, from('http://localhost:5173'))).toBe(
        "If the page is yours, add its origin: allowedOrigins: ['http://localhost:5173']",
      );
    },
  );

  it.each([
    'https://user:secret@app.test',
    "http://a.test'], x: ['",
    `https://${'a'.repeat(200)}.test`,
    'https://*.test',
  ])('the advice does not repeat what no option could hold: %s', (origin) => {
    expect(originAdvice('origin-not-allowed', from(origin))).toBe(
      'No option allows an origin that is written like this',
    );
  });

  it('the advice for an origin that is null, missing or sent twice names where to look', () => {
    expect(originAdvice('origin-null', from('null'))).toContain('serve it over HTTP');
    expect(originAdvice('origin-missing', [])).toContain('proxy');
    expect(originAdvice('origin-doubled', from('https://a.test'))).toContain('one Origin header');
  });
});
