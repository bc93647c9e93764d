import { IsOptional } from 'class-validator';
import { LiveMessageDto } from './live-message.dto.js';
import { IsClientTopic, IsLiveKey, IsPresent } from './live-validators.js';

/** `{"type":"publish","id"?,"topic","data","key"?}` [L-4.3] */
export class PublishDto extends LiveMessageDto {
  @IsClientTopic()
  readonly topic!: string;

  @IsPresent()
  readonly data!: unknown;

  @IsOptional()
  @IsLiveKey()
  readonly key?: string;
}
