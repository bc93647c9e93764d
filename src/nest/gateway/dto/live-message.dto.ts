import { IsOptional, IsString } from 'class-validator';
import { IsField } from './live-validators.js';

/** What every message of a client has. [L-2.1] */
export abstract class LiveMessageDto {
  /** Fields of other types; unchecked. */
  readonly [field: string]: unknown;

  /** Name of the message, such as `subscribe`. */
  @IsString()
  readonly type!: string;

  /** Echoed in the answer: a number, or a string of at most 64 characters. [L-2.4] */
  @IsOptional()
  @IsField('id')
  readonly id?: number | string;
}
