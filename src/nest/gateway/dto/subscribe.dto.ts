import { IsOptional } from 'class-validator';
import type { Position } from '../../../protocol/position.js';
import { LiveMessageDto } from './live-message.dto.js';
import { IsField } from './live-validators.js';

/**
 * `{"type":"subscribe","id"?,"topic","since"?,"maxRate"?,"maxMessageBytes"?,"pages"?,"entries"?}`
 * [L-3.2]
 */
export class SubscribeDto extends LiveMessageDto {
  /** The topic to follow: 1 to 128 characters. [L-3.1] */
  @IsField('topic')
  readonly topic!: string;

  /** Position to resume from. Absent: starts now, with a snapshot if the topic has one. */
  @IsOptional()
  @IsField('since')
  readonly since?: Position;

  /** Maximum publications per second, 0.01 to 1000. [L-4.8] */
  @IsOptional()
  @IsField('maxRate')
  readonly maxRate?: number;

  /**
   * Largest message of this topic that the client takes: at least 1024 bytes. In place of a larger
   * event it gets `lost`. [L-9.20]
   */
  @IsOptional()
  @IsField('maxMessageBytes')
  readonly maxMessageBytes?: number;

  /** Whether a large snapshot may come in pages. [L-6.10] */
  @IsOptional()
  @IsField('pages')
  readonly pages?: boolean;

  /** Whether the last data of each key comes as a list of entries. [L-6.11] */
  @IsOptional()
  @IsField('entries')
  readonly entries?: boolean;
}
