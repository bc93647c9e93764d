import { IncomingMessage } from 'node:http';
import {
  BadRequestException,
  Controller,
  HttpCode,
  HttpException,
  PayloadTooLargeException,
  Post,
  Req,
  ServiceUnavailableException,
  UseGuards,
} from '@nestjs/common';
import { LiveError, LiveService, type Published } from 'nestjs-live';
import { elementTexts } from 'nestjs-live/parts';
import { readJsonBody } from './json-body.js';
import { type CheckedPublication, publicationOf } from './publication.dto.js';
import { PublishKeyGuard } from './publish-key.guard.js';

const maxBodyBytes = 1_048_576;
const maxPublications = 1_000;

/** `POST /publish`, for backends without Nest. */
@Controller('publish')
@UseGuards(PublishKeyGuard)
export class PublishController {
  constructor(private readonly live: LiveService) {}

  /**
   * Publishes one publication or an array, in order. Nothing is published before all shapes are
   * valid. If the broker or a topic refuses one of an array, the `results` in the answer have the
   * positions of the others.
   *
   * @returns the position of each, with `suppressed` if it stored nothing; an array for an array
   */
  @Post()
  @HttpCode(202)
  async publish(@Req() request: IncomingMessage): Promise<Published | Published[]> {
    const { value, text } = await readJsonBody(request, maxBodyBytes);
    if (!Array.isArray(value)) return this.publishOne(checked(value, text));
    if (value.length > maxPublications) {
      throw new PayloadTooLargeException(`An array may have at most ${String(maxPublications)} publications`);
    }
    const texts = elementTexts(text);
    const publications = value.map((each, i) => checked(each, texts[i] ?? '', `[${String(i)}]: `));
    return all(publications.map((publication) => this.publishOne(publication)));
  }

  private async publishOne({ topic, data, options }: CheckedPublication): Promise<Published> {
    try {
      const { epoch, offset, suppressed } = await this.live.publish(topic, data, options);
      return { epoch, offset, ...(suppressed !== undefined && { suppressed }) };
    } catch (error) {
      if (!(error instanceof LiveError)) throw error;
      if (error.code === 'unavailable') throw new ServiceUnavailableException(error.message);
      if (error.code === 'limit-exceeded') throw new PayloadTooLargeException(error.message);
      throw new BadRequestException(error.message);
    }
  }
}

/**
 * All results. If one failed, throws its exception, with its index and the results of the others.
 */
async function all(answers: readonly Promise<Published>[]): Promise<Published[]> {
  const settled = await Promise.allSettled(answers);
  const failed = settled.findIndex(({ status }) => status === 'rejected');
  const results = settled.map((answer) => (answer.status === 'fulfilled' ? answer.value : null));
  if (failed === -1) return results as Published[];
  const { reason } = settled[failed] as PromiseRejectedResult;
  if (!(reason instanceof HttpException)) throw reason;
  const body = reason.getResponse() as object;
  const message = `[${String(failed)}]: ${reason.message}`;
  throw new HttpException({ ...body, message, results }, reason.getStatus());
}

function checked(value: unknown, text: string, where = ''): CheckedPublication {
  const publication = publicationOf(value, text);
  if (typeof publication === 'string') throw new BadRequestException(`${where}${publication}`);
  return publication;
}
