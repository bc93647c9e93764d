import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codePoint } from '../../test/support/code-point.js';
import { clientFrame, handshake } from '../../test/support/raw-peer.js';
import { TestUpgradeServer } from '../../test/support/test-upgrade-server.js';
import { fittingCode, fittingReason } from './close-frame.js';
import { WsSocket } from './ws-socket.js';

/** The codes that RFC 6455, section 7.4, allows in a close frame. */
const mayBeSent = (code: number): boolean =>
  Number.isInteger(code) &&
  ((code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999));

const anyCode = fc.oneof(
  fc.integer({ min: 900, max: 5100 }),
  fc.double(),
  fc.double({ min: 1000, max: 1015 }),
);
const anyReason = fc.oneof(
  fc.string({ unit: codePoint, maxLength: 200 }),
  fc.string({ unit: 'grapheme', minLength: 30, maxLength: 130 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 })
    .map((units) => String.fromCharCode(...units)),
);

describe('close frames', () => {
  it('[L-10.4] any reason is cut to at most 123 bytes, and never inside a character', () => {
    fc.assert(
      fc.property(anyReason, (reason) => {
        const fitting = fittingReason(reason);
        expect(Buffer.byteLength(fitting)).toBeLessThanOrEqual(123);
        expect(reason.startsWith(fitting)).toBe(true);
        const [next] = reason.slice(fitting.length);
        if (next !== undefined) {
          // The reason is as long as fits, and no surrogate pair is split.
          expect(Buffer.byteLength(fitting + next)).toBeGreaterThan(123);
          expect(/[\uD800-\uDBFF]$/.test(fitting) && /^[\uDC00-\uDFFF]/.test(next)).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('[L-10.3] any code that a close frame may not carry is replaced by 1011', () => {
    fc.assert(
      fc.property(anyCode, (code) => {
        expect(fittingCode(code)).toBe(mayBeSent(code) ? code : 1011);
      }),
      { numRuns: 5_000, examples: [[1005.5], [1000.5], [999.9], [Number.NaN], [Infinity], [-0], [4999.5]] },
    );
  });

  it('[L-10.4] a real socket sends one close frame for any code and reason, and ignores a second close', async () => {
    const sockets: WsSocket[] = [];
    const test = await TestUpgradeServer.start({
      accepted: (ws, socket) => sockets.push(new WsSocket(ws, socket)),
    });
    await fc.assert(
      fc.asyncProperty(anyCode, anyReason, async (code, reason) => {
        const peer = await test.connect();
        await peer.send(handshake()).answered();
        const socket = sockets.at(-1);
        socket?.close(code, reason);
        socket?.close(code, reason);
        socket?.ping();
        socket?.write(clientFrame('late'));
        await peer.until(({ frames }) => frames.length > 0);
        const [frame, ...more] = peer.frames;
        expect([frame?.opcode, frame?.payload.readUInt16BE(0), more]).toEqual([8, fittingCode(code), []]);
        expect(frame?.payload.subarray(2)).toEqual(Buffer.from(fittingReason(reason)));
        peer.reset();
        await peer.closed;
        socket?.close(code, reason);
        socket?.ping();
        socket?.write(clientFrame('late'));
        socket?.terminate();
      }),
      { numRuns: 100 },
    );
  });
});
