import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LiveHttpServer } from './live-http-server.js';

function placeOf(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'live-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, name);
}

const serverOf = (): LiveHttpServer => new LiveHttpServer(() => {});

describe('LiveHttpServer on a Unix socket', () => {
  it('a server removes the socket of a process that was killed', async () => {
    const path = placeOf('live.sock');
    const listen = `require('node:net').createServer().listen('${path}', () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', listen]).signal).toBe('SIGKILL');
    expect(existsSync(path)).toBe(true);
    const server = serverOf();
    await server.listenAtPath(path);
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  it('a server waits for a path that another server is giving up, and never takes one in use', async () => {
    const path = placeOf('live.sock');
    const before = serverOf();
    await before.listenAtPath(path);
    await expect(serverOf().listenAtPath(path, 150)).rejects.toThrow(
      `${path}: another process listens there`,
    );
    const next = serverOf();
    const listening = next.listenAtPath(path, 5_000);
    setTimeout(() => void before.close(), 250);
    await listening;
    await next.close();
  });

  it('a server leaves a file that is not a socket, and explains what is wrong with a path', async () => {
    const path = placeOf('live.sock');
    writeFileSync(path, 'data');
    await expect(serverOf().listenAtPath(path)).rejects.toThrow('or the path is not a socket');
    expect(existsSync(path)).toBe(true);
    await expect(serverOf().listenAtPath(`${path}/x`)).rejects.toThrow('its directory does not exist');
    await expect(serverOf().listenAtPath(placeOf('no/live.sock'))).rejects.toThrow(
      'or this process may not write there',
    );
  });
});
