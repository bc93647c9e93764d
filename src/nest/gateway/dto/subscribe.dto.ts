import { IsOptional } from 'class-validator';
import type { Position } from '../../../protocol/position.js';
import { LiveMessageDto } from './live-message.dto.js';
import { IsClientTopic, IsLivePosition, IsLiveRate, IsMessageBytes } from './live-validators.js';

/** `{"type":"subscribe","id"?,"topic","since"?,"maxRate"?,"maxMessageBytes"?}` [L-3.2] */
export class SubscribeDto extends LiveMessageDto {
  @IsClientTopic()
  readonly topic!: string;

  @IsOptional()
  @IsLivePosition()
  readonly since?: Position;

  @IsOptional()
  @IsLiveRate()
  readonly maxRate?: number;

  @IsOptional()
  @IsMessageBytes()
  readonly maxMessageBytes?: number;
}
