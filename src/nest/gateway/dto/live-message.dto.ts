import { IsOptional, IsString } from 'class-validator';
import type { InboundMessage, RequestId } from '../../../protocol/messages.js';
import { IsField } from './live-validators.js';

/** What every message of a client has. [L-2.1] */
export abstract class LiveMessageDto implements InboundMessage {
  readonly [field: string]: unknown;

  @IsString()
  readonly type!: string;

  @IsOptional()
  @IsField('id')
  readonly id?: RequestId;
}
