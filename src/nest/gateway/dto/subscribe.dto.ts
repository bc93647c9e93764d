import { IsOptional } from 'class-validator';
import type { Position } from '../../../protocol/position.js';
import { LiveMessageDto } from './live-message.dto.js';
import { IsField } from './live-validators.js';

/** `{"type":"subscribe","id"?,"topic","since"?,"maxRate"?,"maxMessageBytes"?}` [L-3.2] */
export class SubscribeDto extends LiveMessageDto {
  @IsField('topic')
  readonly topic!: string;

  @IsOptional()
  @IsField('since')
  readonly since?: Position;

  @IsOptional()
  @IsField('maxRate')
  readonly maxRate?: number;

  @IsOptional()
  @IsField('maxMessageBytes')
  readonly maxMessageBytes?: number;
}
