import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { validateSync } from 'class-validator';
import { LiveError } from '../../../protocol/live.error.js';
import { LiveMessageDto } from './live-message.dto.js';
import { isPlainlyRight } from './plainly-right.js';

const fields = [
  'type',
  'id',
  'topic',
  'since',
  'maxRate',
  'maxMessageBytes',
  'data',
  'key',
  'remove',
  'token',
] as const;

/**
 * Builds the DTO of a message from its known fields and validates it; `data` is not traversed.
 * [L-2.6]
 */
@Injectable()
export class LiveMessagePipe implements PipeTransform {
  transform(value: Readonly<Record<string, unknown>>, { metatype }: ArgumentMetadata): unknown {
    if (metatype === undefined || !(metatype.prototype instanceof LiveMessageDto)) return value;
    const dto = Object.create(metatype.prototype as object) as Record<string, unknown>;
    for (const field of fields) if (value[field] !== undefined) dto[field] = value[field];
    if (isPlainlyRight(metatype, dto)) return dto;
    const [error] = validateSync(dto, { stopAtFirstError: true });
    if (error === undefined) return dto;
    throw new LiveError(
      'protocol-violation',
      Object.values(error.constraints ?? {})[0] ?? `Wrong ${error.property}`,
    );
  }
}
