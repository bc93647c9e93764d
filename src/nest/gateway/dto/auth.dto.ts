import { LiveMessageDto } from './live-message.dto.js';
import { IsField } from './live-validators.js';

/** `{"type":"auth","id"?,"token"}` [L-7.1] */
export class AuthDto extends LiveMessageDto {
  /** The new bearer token: 1 to 16,384 characters. */
  @IsField('token')
  readonly token!: string;
}
