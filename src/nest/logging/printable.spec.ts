import { describe, expect, it } from 'vitest';
import { printable } from './printable.js';

describe('printable', () => {
  it.each([
    ['server shutting down', 'server shutting down'],
    ['Zoë 👋 "quoted" \\', 'Zoë 👋 "quoted" \\'],
    ['a\r\nb\u001b[2J\u009b1m', 'a\\u{d}\\u{a}b\\u{1b}[2J\\u{9b}1m'],
    ['\u2028\u2029\u202e\u200b\ufeff', '\\u{2028}\\u{2029}\\u{202e}\\u{200b}\\u{feff}'],
    ['\ud800', '\\u{d800}'],
  ])('the text %j is shown as %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('text is cut at 256 characters before invisible characters are escaped', () => {
    expect(printable('x'.repeat(10_000))).toHaveLength(256);
    expect(printable(`${'x'.repeat(255)}👋`)).toBe(`${'x'.repeat(255)}\\u{d83d}`);
  });
});
