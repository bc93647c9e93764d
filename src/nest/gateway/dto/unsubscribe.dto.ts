import { LiveMessageDto } from './live-message.dto.js';
import { IsField } from './live-validators.js';

/** `{"type":"unsubscribe","id"?,"topic"}` [L-3.6] */
export class UnsubscribeDto extends LiveMessageDto {
  /** The topic to leave: 1 to 128 characters. [L-3.1] */
  @IsField('topic')
  readonly topic!: string;
}
