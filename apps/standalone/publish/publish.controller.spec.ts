import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import type { HttpException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { JsonText, LiveError, type LiveService } from 'nestjs-live';
import { PublishController } from './publish.controller.js';

/** The answer of `POST /publish`, where publishing to `too-large` and `away` fails. */
async function answerTo(body: string) {
  let offset = 0;
  const published: unknown[] = [];
  const live = {
    async publish(topic: string, data: unknown) {
      if (topic === 'too-large') throw new LiveError('limit-exceeded', 'Too large');
      if (topic === 'away') throw new LiveError('unavailable', 'Not now');
      published.push(data instanceof JsonText ? data.text : data);
      return { epoch: 'e', offset: (offset += 1) };
    },
  } as unknown as LiveService;
  const request = Object.assign(new PassThrough(), { headers: { 'content-type': 'application/json' } });
  request.end(body);
  const answer = new PublishController(live).publish(request as unknown as IncomingMessage);
  return answer.then(
    (positions) => ({ status: 202, positions, published }),
    (error: HttpException) => ({ status: error.getStatus(), body: error.getResponse(), published }),
  );
}

const bodyOf = (...topics: string[]): string =>
  JSON.stringify(topics.map((topic) => ({ topic, data: { n: 1 } })));

describe('POST /publish', () => {
  it('a publication that the engine never accepts gets 413, and one that it does not accept now gets 503', async () => {
    const statuses = ['too-large', 'away'].map(async (topic) => {
      return (await answerTo(`{"topic":"${topic}","data":1}`)).status;
    });
    expect(await Promise.all(statuses)).toEqual([413, 503]);
  });

  it('the answer for an array names the index of a refused publication and has the results of the others', async () => {
    const answer = await answerTo(bodyOf('a', 'too-large', 'a'));
    expect(answer).toEqual({
      status: 413,
      body: {
        statusCode: 413,
        error: 'Payload Too Large',
        message: '[1]: Too large',
        results: [{ epoch: 'e', offset: 1 }, null, { epoch: 'e', offset: 2 }],
      },
      published: ['{"n":1}', '{"n":1}'],
    });
  });
});
