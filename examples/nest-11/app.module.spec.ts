import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { LiveService } from 'nestjs-live';
import { LiveTestClient } from 'nestjs-live/testing';
import { AppModule } from './app.module';

describe('The accounts', () => {
  let app: INestApplication;

  beforeEach(async () => {
    const moduleFixture = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = moduleFixture.createNestApplication();
    await app.listen(0); // with `port: 'app'` the sockets need the application's server
  });

  afterEach(() => app.close());

  it('a user receives its own account and no other', async () => {
    const client = await LiveTestClient.connect(app.get(LiveService).url(), { token: 'ann' });
    await client.request({ type: 'subscribe', id: 1, topic: 'accounts/ann' });
    const { data } = await client.nextOf('event');
    expect(data).toEqual({ balance: expect.any(Number) });
    const refused = await client.request({ type: 'subscribe', id: 2, topic: 'accounts/bob' });
    expect(refused).toMatchObject({ type: 'error', code: 'forbidden' });
    await client.close();
  });
});
