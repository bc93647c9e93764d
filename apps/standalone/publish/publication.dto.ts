import { Equals, IsInt, Max, Min, ValidateIf, validateSync } from 'class-validator';
import { JsonText, type PublishOptions, type RemovalOptions } from 'nestjs-live';
import { fieldText, IsField, IsPresent } from 'nestjs-live/parts';

/**
 * One publication as it arrives over HTTP: `{"topic","data","key"?,"idempotencyKey"?,"version"?}`,
 * or `{"topic","key","remove":true,…}` without data to remove the key. Other fields are ignored.
 */
export class PublicationDto {
  @IsField('topic')
  readonly topic: unknown;

  @ValidateIf(({ remove }: PublicationDto) => remove === undefined)
  @IsPresent()
  readonly data: unknown;

  @ValidateIf(({ key }: PublicationDto) => key !== undefined)
  @IsField('key')
  readonly key: unknown;

  @ValidateIf(({ idempotencyKey }: PublicationDto) => idempotencyKey !== undefined)
  @IsField('key')
  readonly idempotencyKey: unknown;

  @ValidateIf(({ version }: PublicationDto) => version !== undefined)
  @IsInt()
  @Min(Number.MIN_SAFE_INTEGER)
  @Max(Number.MAX_SAFE_INTEGER)
  readonly version: unknown;

  @ValidateIf(({ remove }: PublicationDto) => remove !== undefined)
  @Equals(true, { message: '$property must be true or absent' })
  readonly remove: unknown;

  constructor({ topic, data, key, idempotencyKey, version, remove }: Readonly<Record<string, unknown>>) {
    this.topic = topic;
    this.data = data;
    this.key = key;
    this.idempotencyKey = idempotencyKey;
    this.version = version;
    this.remove = remove;
  }
}

/** A valid publication. */
export interface CheckedPublication {
  readonly topic: string;
  /** As written in the body. Absent for a removal. */
  readonly data: JsonText | undefined;
  readonly options: PublishOptions | RemovalOptions;
}

/** The publication in a JSON value and its text, or one sentence that says what is wrong. */
export function publicationOf(value: unknown, text: string): CheckedPublication | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'a publication must be an object: {"topic", "data", "key"?, "idempotencyKey"?, "version"?}';
  }
  const dto = new PublicationDto(value as Record<string, unknown>);
  const [error] = validateSync(dto, { stopAtFirstError: true });
  if (error !== undefined) return Object.values(error.constraints ?? {})[0] ?? `${error.property} is invalid`;
  const { topic, key, idempotencyKey, version, remove } = dto as { topic: string } & (
    PublishOptions | RemovalOptions
  );
  if (remove === true && key === undefined) return 'remove needs a key';
  if (remove === true && dto.data !== undefined) return 'remove must have no data';
  return {
    topic,
    data: remove === true ? undefined : JsonText.dangerouslyTrust(fieldText(text, 'data') ?? 'null'),
    options: {
      ...(key !== undefined && { key }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...(version !== undefined && { version }),
      ...(remove !== undefined && { remove }),
    } as PublishOptions | RemovalOptions,
  };
}
