import { LiveMessageDto } from './live-message.dto.js';
import { IsField } from './live-validators.js';

/** `{"type":"unsubscribe","id"?,"topic"}` [L-3.6] */
export class UnsubscribeDto extends LiveMessageDto {
  @IsField('topic')
  readonly topic!: string;
}
