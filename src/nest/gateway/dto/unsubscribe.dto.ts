import { LiveMessageDto } from './live-message.dto.js';
import { IsClientTopic } from './live-validators.js';

/** `{"type":"unsubscribe","id"?,"topic"}` [L-3.6] */
export class UnsubscribeDto extends LiveMessageDto {
  @IsClientTopic()
  readonly topic!: string;
}
