import { IncomingMessage } from 'node:http';
import {
  BadRequestException,
  Controller,
  HttpCode,
  PayloadTooLargeException,
  Post,
  Req,
  ServiceUnavailableException,
  UseGuards,
} from '@nestjs/common';
import { LiveError, LiveService, type Published } from '../../index.js';
import { readJsonBody } from './json-body.js';
import { type CheckedPublication, publicationOf } from './publication.dto.js';
import { PublishKeyGuard } from './publish-key.guard.js';

const maxBodyBytes = 1_048_576;
const maxPublications = 1_000;

/** `POST /publish`: backends without Nest publish here. */
@Controller('publish')
@UseGuards(PublishKeyGuard)
export class PublishController {
  constructor(private readonly live: LiveService) {}

  /**
   * Publishes one or many, in order. Nothing is published before all of it is found right.
   *
   * @returns each one's position, and `suppressed` where it stored nothing; an array for an array
   */
  @Post()
  @HttpCode(202)
  async publish(@Req() request: IncomingMessage): Promise<Published | Published[]> {
    const body = await readJsonBody(request, maxBodyBytes);
    if (!Array.isArray(body)) return this.publishOne(checked(body));
    if (body.length > maxPublications) {
      throw new PayloadTooLargeException(`An array may have at most ${String(maxPublications)} publications`);
    }
    const publications = body.map((value, index) => checked(value, `[${String(index)}]: `));
    return Promise.all(publications.map((publication) => this.publishOne(publication)));
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

function checked(value: unknown, where = ''): CheckedPublication {
  const publication = publicationOf(value);
  if (typeof publication === 'string') throw new BadRequestException(`${where}${publication}`);
  return publication;
}
