import { IsOptional, IsString, Length } from 'class-validator';
import { LiveMessageDto } from './live-message.dto.js';
import { IsClientTopic, IsPresent } from './live-validators.js';

/** `{"type":"publish","id"?,"topic","data","key"?}` [L-4.3] */
export class PublishDto extends LiveMessageDto {
  @IsClientTopic()
  readonly topic!: string;

  @IsPresent()
  readonly data!: unknown;

  @IsOptional()
  @IsString()
  @Length(1, 128)
  readonly key?: string;
}
