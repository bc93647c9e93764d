import { Equals, IsOptional, ValidateIf } from 'class-validator';
import { LiveMessageDto } from './live-message.dto.js';
import { IsField, IsPresent } from './live-validators.js';

/**
 * `{"type":"publish","id"?,"topic","data","key"?}` [L-4.3], or `"key","remove":true` [L-4.12], each
 * with `"idempotencyKey"?,"after"?`
 */
export class PublishDto extends LiveMessageDto {
  /** The topic to publish to: 1 to 128 characters. [L-3.1] */
  @IsField('topic')
  readonly topic!: string;

  /** Any JSON value; absent with `remove`. */
  @ValidateIf(({ remove }: PublishDto) => remove === undefined)
  @IsPresent()
  readonly data?: unknown;

  /** The entity that it is about: 1 to 128 characters; required with `remove`. */
  @IsOptional()
  @IsField('key')
  readonly key?: string;

  /** Removes the key from the topic's snapshot. [L-4.12] */
  @ValidateIf(({ remove }: PublishDto) => remove !== undefined)
  @Equals(true, { message: '$property must be true or absent' })
  readonly remove?: true;

  /** Makes a repeated publish harmless: 1 to 128 characters. [L-4.15] */
  @IsOptional()
  @IsField('idempotencyKey')
  readonly idempotencyKey?: string;

  /** The `id` of an earlier publish that this one must not overtake. [L-4.16] */
  @IsOptional()
  @IsField('after')
  readonly after?: number | string;
}
