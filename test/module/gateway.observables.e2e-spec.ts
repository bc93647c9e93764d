import { SubscribeMessage } from '@nestjs/websockets';
import { finalize, interval, type Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { LiveHandlers } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { platforms, startLiveApp } from '../support/live-app.js';

const ended = vi.fn();

@LiveHandlers()
class Ticker {
  @SubscribeMessage('ticks')
  ticks(): Observable<number> {
    return interval(5).pipe(finalize(ended));
  }
}

describe.each(platforms)('Observable answers on %s', (_name, platform) => {
  it('[S7] [L-2.13] an Observable answer sends values until the peer leaves, and then is unsubscribed', async () => {
    ended.mockClear();
    const { url } = await startLiveApp({ platform, providers: [Ticker] });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    client.send({ type: 'ticks', id: 1 });
    expect(await client.nextOf('ticks')).toEqual({ type: 'ticks', id: 1, data: 0 });
    expect(await client.nextOf('ticks')).toEqual({ type: 'ticks', id: 1, data: 1 });
    expect(ended).not.toHaveBeenCalled();
    await client.close();
    await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(1));
  });
});
