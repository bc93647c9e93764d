import { type } from 'arktype';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  Length,
  Max,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import * as v from 'valibot';
import { z } from 'zod';
import type { KeySchema, LiveSchema } from '../../src/index.js';

/** One shape, as each library declares it. */
class StopDto {
  @IsString() name!: string;
  @IsInt() @Min(Number.MIN_SAFE_INTEGER) @Max(Number.MAX_SAFE_INTEGER) at!: number;
}

class DriverDto {
  @IsString() name!: string;
}

class VehicleDto {
  @IsString() @Length(1, 16) id!: string;
  @IsNumber() @Min(-90) @Max(90) lat!: number;
  @IsNumber() lon!: number;
  @ValidateIf((_, speed) => speed !== undefined) @IsNumber() @Min(0) speed?: number;
  @IsArray() @ArrayMaxSize(3) @IsString({ each: true }) tags!: string[];
  @IsArray() @IsObject({ each: true }) @ValidateNested({ each: true }) @Type(() => StopDto) stops!: StopDto[];
  @IsIn(['moving', 'parked']) state!: string;
  @ValidateIf((_, driver) => driver !== null)
  @IsObject()
  @ValidateNested()
  @Type(() => DriverDto)
  driver!: DriverDto | null;
}

export const vehicleSchemas: Readonly<Record<string, LiveSchema>> = {
  zod: z.object({
    id: z.string().min(1).max(16),
    lat: z.number().min(-90).max(90),
    lon: z.number(),
    speed: z.number().min(0).optional(),
    tags: z.array(z.string()).max(3),
    stops: z.array(z.object({ name: z.string(), at: z.int() })),
    state: z.enum(['moving', 'parked']),
    driver: z.object({ name: z.string() }).nullable(),
  }),
  valibot: v.object({
    id: v.pipe(v.string(), v.minLength(1), v.maxLength(16)),
    lat: v.pipe(v.number(), v.minValue(-90), v.maxValue(90)),
    lon: v.number(),
    speed: v.optional(v.pipe(v.number(), v.minValue(0))),
    tags: v.pipe(v.array(v.string()), v.maxLength(3)),
    stops: v.array(v.object({ name: v.string(), at: v.pipe(v.number(), v.safeInteger()) })),
    state: v.picklist(['moving', 'parked']),
    driver: v.nullable(v.object({ name: v.string() })),
  }),
  arktype: type({
    id: '1 <= string <= 16',
    lat: '-90 <= number <= 90',
    lon: 'number',
    'speed?': 'number >= 0',
    tags: 'string[] <= 3',
    stops: type({ name: 'string', at: 'number.integer & number.safe' }).array(),
    state: "'moving' | 'parked'",
    driver: type({ name: 'string' }).or('null'),
  }),
  'class-validator': VehicleDto,
};

/** Keys such as `v12`, as each library declares them. A class has none, so arktype is beside it. */
export const keySchemas: Readonly<Record<string, KeySchema>> = {
  zod: z.templateLiteral(['v', z.int()]),
  valibot: v.pipe(v.string(), v.regex(/^v-?\d+$/)),
  arktype: type(/^v-?\d+$/),
  'class-validator': type(/^v-?\d+$/),
};

/** The same by hand. */
export const isVehicleKey = (key: unknown): boolean =>
  isText(key) && key.length <= 128 && /^v-?\d+$/.test(key);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const own = (value: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(value, name) ? value[name] : undefined;

/** The same shape by hand, against which the libraries are compared. Further keys are right. */
export function isVehicle(value: unknown): boolean {
  if (!isObject(value)) return false;
  const [id, lat, lon, speed] = ['id', 'lat', 'lon', 'speed'].map((name) => own(value, name));
  const [tags, stops, state, driver] = ['tags', 'stops', 'state', 'driver'].map((name) => own(value, name));
  return (
    isText(id) &&
    id.length >= 1 &&
    id.length <= 16 &&
    isNumber(lat) &&
    Math.abs(lat) <= 90 &&
    isNumber(lon) &&
    (speed === undefined || (isNumber(speed) && speed >= 0)) &&
    Array.isArray(tags) &&
    tags.length <= 3 &&
    tags.every(isText) &&
    Array.isArray(stops) &&
    stops.every(
      (stop) => isObject(stop) && isText(own(stop, 'name')) && Number.isSafeInteger(own(stop, 'at')),
    ) &&
    (state === 'moving' || state === 'parked') &&
    (driver === null || (isObject(driver) && isText(own(driver, 'name'))))
  );
}
