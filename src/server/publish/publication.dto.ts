import { IsString, Length, ValidateIf, validateSync } from 'class-validator';
import { IsClientTopic, IsPresent } from '../../nest/dto/live-validators.js';

/** One publication as it comes over HTTP: `{"topic","data","key"?}`; other fields are ignored. */
export class PublicationDto {
  @IsClientTopic()
  readonly topic: unknown;

  @IsPresent()
  readonly data: unknown;

  @ValidateIf(({ key }: PublicationDto) => key !== undefined)
  @IsString()
  @Length(1, 128)
  readonly key: unknown;

  constructor({ topic, data, key }: Readonly<Record<string, unknown>>) {
    this.topic = topic;
    this.data = data;
    this.key = key;
  }
}

/** A publication that was found right. */
export interface CheckedPublication {
  readonly topic: string;
  readonly data: unknown;
  readonly key?: string;
}

/** The publication in a JSON value, or what is wrong with it in one sentence. */
export function publicationOf(value: unknown): CheckedPublication | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'a publication must be an object: {"topic", "data", "key"?}';
  }
  const dto = new PublicationDto(value as Record<string, unknown>);
  const [error] = validateSync(dto, { stopAtFirstError: true });
  if (error !== undefined) return Object.values(error.constraints ?? {})[0] ?? `${error.property} is wrong`;
  const { topic, data, key } = dto as { topic: string; data: unknown; key: string | undefined };
  return { topic, data, ...(key !== undefined && { key }) };
}
