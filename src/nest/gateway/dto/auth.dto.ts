import { IsString, Length } from 'class-validator';
import { LiveMessageDto } from './live-message.dto.js';

/** `{"type":"auth","id"?,"token"}` [L-7.1] */
export class AuthDto extends LiveMessageDto {
  @IsString()
  @Length(1, 16_384)
  readonly token!: string;
}
