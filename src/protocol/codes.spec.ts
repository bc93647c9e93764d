import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloseCode, errorCodes, isTemporary, mayReconnect } from './codes.js';

describe('close codes', () => {
  it.each([
    [0, 'no close frame, on Deno'],
    [1001, 'going away'],
    [1005, 'a close frame without a code'],
    [1006, 'no close frame'],
    [1008, 'policy: back-pressure'],
    [1011, 'internal error'],
    [1012, 'service restart'],
    [1013, 'try again later'],
    [1014, 'bad gateway'],
    [1015, 'TLS failed'],
    [3000, 'from an intermediary'],
    [4000, 'the first retryable code'],
    [4001, 'no pong'],
    [4002, 'too many violations or too fast'],
    [4003, 'position lost'],
    [4499, 'the last retryable code'],
    [4501, 'credential expired or revoked'],
  ])('[L-10.3] a client reconnects after close code %i (%s)', (code) => {
    expect(mayReconnect(code)).toBe(true);
  });

  it.each([
    [1000, 'normal'],
    [1002, 'protocol error'],
    [1003, 'unsupported data'],
    [1007, 'invalid UTF-8'],
    [1009, 'too large'],
    [4500, 'the first final code of its range'],
    [4503, 'disconnected by the application'],
    [4504, 'one that no server sends'],
    [4999, 'the last final code'],
  ])('[L-10.3] a client does not reconnect after close code %i (%s)', (code) => {
    expect(mayReconnect(code)).toBe(false);
  });

  it('[L-10.3] an unknown close code is classified by its range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4000, max: 4999 }),
        (code) => mayReconnect(code) === (code < 4500 || code === 4501),
      ),
    );
    fc.assert(fc.property(fc.integer({ min: 1010, max: 3999 }), mayReconnect));
    for (const code of [-1, 0, 999, 5000, 65_535, Number.NaN]) expect(mayReconnect(code)).toBe(true);
  });

  it('[L-10.3] every close code that a server sends is classified as final or retryable', () => {
    const sent = Object.entries(CloseCode).map(([name, code]) => [name, code, mayReconnect(code)]);
    expect(sent).toEqual([
      ['goingAway', 1001, true],
      ['unsupportedData', 1003, false],
      ['policy', 1008, true],
      ['internalError', 1011, true],
      ['noPong', 4001, true],
      ['tooManyViolations', 4002, true],
      ['positionLost', 4003, true],
      ['credentialExpired', 4501, true],
      ['disconnected', 4503, false],
    ]);
  });
});

describe('error codes', () => {
  it('[L-2.10] every error code is classified as temporary or permanent', () => {
    expect(errorCodes.map((code) => [code, isTemporary(code)])).toEqual([
      ['protocol-violation', false],
      ['not-implemented', false],
      ['forbidden', false],
      ['validation-failed', false],
      ['limit-exceeded', false],
      ['rate-limited', true],
      ['unavailable', true],
      ['internal', true],
    ]);
  });
});
