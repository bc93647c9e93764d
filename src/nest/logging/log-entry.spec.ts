import { ConsoleLogger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { logEntry } from './log-entry.js';

/** What Nest's own logger writes to stdout and stderr for an entry, without time and process id. */
function written(options: { json?: boolean; colors?: boolean }, entry: object): string {
  let text = '';
  const keep = (chunk: unknown): boolean => {
    text += String(chunk);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(process.stderr, 'write').mockImplementation(keep);
  new ConsoleLogger('Live', { colors: false, timestamp: false, ...options }).warn(entry);
  vi.restoreAllMocks();
  return text;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('logEntry', () => {
  const fields = { msg: 'handshake refused', remoteAddr: '::1', reason: 'no token', userId: undefined, n: 3 };

  it("Nest's text logger prints an entry on one line", () => {
    expect(written({}, logEntry(fields))).toMatch(
      /WARN \[Live\] handshake refused remoteAddr=::1 reason="no token" n=3\n$/,
    );
  });

  it("Nest's text logger prints an error of an entry with its stack below the line", () => {
    const text = written({}, logEntry({ msg: 'failed: reading', err: new Error('on purpose') }));
    expect(text).toMatch(/ failed: reading\nError: on purpose\n +at /);
  });

  it.each([false, true])("Nest's JSON logger writes the fields of an entry (colors: %s)", (colors) => {
    const text = written({ json: true, colors }, logEntry({ msg: 'ready', port: 8_081 }));
    expect(text).toMatch(colors ? /message: \{ msg: .*'ready'.*port: .*8081/ : /"msg":"ready","port":8081/);
  });
});
