import { Equals, IsOptional, ValidateIf } from 'class-validator';
import { LiveMessageDto } from './live-message.dto.js';
import { IsField, IsPresent } from './live-validators.js';

/** `{"type":"publish","id"?,"topic","data","key"?}` [L-4.3], or `"key","remove":true` [L-4.12] */
export class PublishDto extends LiveMessageDto {
  @IsField('topic')
  readonly topic!: string;

  @ValidateIf(({ remove }: PublishDto) => remove === undefined)
  @IsPresent()
  readonly data?: unknown;

  @IsOptional()
  @IsField('key')
  readonly key?: string;

  @ValidateIf(({ remove }: PublishDto) => remove !== undefined)
  @Equals(true, { message: '$property must be true or absent' })
  readonly remove?: true;
}
