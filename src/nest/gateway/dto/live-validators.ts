import { registerDecorator } from 'class-validator';
import { isRate, rateAllowed } from '../../../core/pace/rate.js';
import { isClientTopic, isKey, isMessageBytes, messageBytesAllowed } from '../../../core/inbound/fields.js';
import { isPosition } from '../../../protocol/position.js';

/** A topic that a client may name. [L-3.1] */
export function IsClientTopic(): PropertyDecorator {
  return field(
    'isClientTopic',
    '$property must be a topic: segments of A-Za-z0-9_.~- joined by /, none of them . or ..',
    isClientTopic,
  );
}

/** `{epoch, offset}`. [L-5.2] */
export function IsLivePosition(): PropertyDecorator {
  return field('isLivePosition', '$property must be {"epoch": string, "offset": integer >= 0}', isPosition);
}

/** Publications per second. [L-4.8] */
export function IsLiveRate(): PropertyDecorator {
  return field('isLiveRate', `$property must be ${rateAllowed}`, isRate);
}

/** Bytes of a message. [L-9.20] */
export function IsMessageBytes(): PropertyDecorator {
  return field('isMessageBytes', `$property must be ${messageBytesAllowed}`, isMessageBytes);
}

/** A number or a short string. [L-2.4] */
export function IsRequestId(): PropertyDecorator {
  return field('isRequestId', '$property must be a number or a string of at most 64 characters', isRequestId);
}

export function isRequestId(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value.length <= 64);
}

/** What a publication is about. [L-4.3] */
export function IsLiveKey(): PropertyDecorator {
  return field('isLiveKey', '$property must be a string of 1 to 128 characters', isKey);
}

/** Any JSON value, `null` among them, but not nothing. [L-4.3] */
export function IsPresent(): PropertyDecorator {
  return field('isPresent', '$property must be there', (value) => value !== undefined);
}

function field(name: string, message: string, validate: (value: unknown) => boolean): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: String(property),
      options: { message },
      validator: { validate },
    });
  };
}
