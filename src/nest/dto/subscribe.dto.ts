import { IsOptional } from 'class-validator';
import type { Position } from '../../protocol/position.js';
import { LiveMessageDto } from './live-message.dto.js';
import { IsClientTopic, IsLivePosition } from './live-validators.js';

/** `{"type":"subscribe","id"?,"topic","since"?}` [L-3.2] */
export class SubscribeDto extends LiveMessageDto {
  @IsClientTopic()
  readonly topic!: string;

  @IsOptional()
  @IsLivePosition()
  readonly since?: Position;
}
