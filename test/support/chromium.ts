import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';

/** Flags that keep a headless Chromium offline and let it run as root. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless Chromium for the tests of a `describe`. The returned function gives it to a test. */
export function launchedChromium(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags });
  }, 60_000);
  afterAll(() => browser?.close(), 60_000);
  return () => {
    if (browser === undefined) throw new Error('Chromium has not been launched');
    return browser;
  };
}
