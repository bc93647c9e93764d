import { IsInt, IsString, Length, Max, Min, ValidateIf, validateSync } from 'class-validator';
import { fieldText } from '../../protocol/json-span.js';
import { JsonText, type PublishOptions } from '../../index.js';
import { IsClientTopic, IsPresent } from '../../nest/dto/live-validators.js';

/** One publication as it comes over HTTP: `{"topic","data","key"?,"idempotencyKey"?,"version"?}`; other fields are ignored. */
export class PublicationDto {
  @IsClientTopic()
  readonly topic: unknown;

  @IsPresent()
  readonly data: unknown;

  @ValidateIf(({ key }: PublicationDto) => key !== undefined)
  @IsString()
  @Length(1, 128)
  readonly key: unknown;

  @ValidateIf(({ idempotencyKey }: PublicationDto) => idempotencyKey !== undefined)
  @IsString()
  @Length(1, 128)
  readonly idempotencyKey: unknown;

  @ValidateIf(({ version }: PublicationDto) => version !== undefined)
  @IsInt()
  @Min(Number.MIN_SAFE_INTEGER)
  @Max(Number.MAX_SAFE_INTEGER)
  readonly version: unknown;

  constructor({ topic, data, key, idempotencyKey, version }: Readonly<Record<string, unknown>>) {
    this.topic = topic;
    this.data = data;
    this.key = key;
    this.idempotencyKey = idempotencyKey;
    this.version = version;
  }
}

/** A publication that was found right. */
export interface CheckedPublication {
  readonly topic: string;
  /** As it stands in the body. */
  readonly data: JsonText;
  readonly options: PublishOptions;
}

/** The publication in a JSON value, whose text is given beside it, or what is wrong with it in one sentence. */
export function publicationOf(value: unknown, text: string): CheckedPublication | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'a publication must be an object: {"topic", "data", "key"?, "idempotencyKey"?, "version"?}';
  }
  const dto = new PublicationDto(value as Record<string, unknown>);
  const [error] = validateSync(dto, { stopAtFirstError: true });
  if (error !== undefined) return Object.values(error.constraints ?? {})[0] ?? `${error.property} is wrong`;
  const { topic, key, idempotencyKey, version } = dto as { topic: string } & PublishOptions;
  return {
    topic,
    data: JsonText.dangerouslyTrust(fieldText(text, 'data') ?? 'null'),
    options: {
      ...(key !== undefined && { key }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(version !== undefined && { version }),
    },
  };
}
