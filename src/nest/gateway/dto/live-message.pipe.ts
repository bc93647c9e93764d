import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { getMetadataStorage, validateSync } from 'class-validator';
import { LiveError } from '../../../protocol/live.error.js';
import { LiveMessageDto } from './live-message.dto.js';
import { isPlainlyRight } from './plainly-right.js';

/**
 * Builds the DTO of a message from the fields that have decorators, and validates it; `data` is not
 * traversed. [L-2.6]
 */
@Injectable()
export class LiveMessagePipe implements PipeTransform {
  private readonly fields = new Map<Type, readonly string[]>();

  transform(value: Readonly<Record<string, unknown>>, { metatype }: ArgumentMetadata): unknown {
    if (metatype === undefined || !isMessageClass(metatype)) return value;
    const dto = Object.create(metatype.prototype as object) as Record<string, unknown>;
    for (const field of this.fieldsOf(metatype)) if (value[field] !== undefined) dto[field] = value[field];
    if (isPlainlyRight(metatype, dto)) return dto;
    const [error] = validateSync(dto, { stopAtFirstError: true });
    if (error === undefined) return dto;
    throw new LiveError(
      'protocol-violation',
      Object.values(error.constraints ?? {})[0] ?? `Wrong ${error.property}`,
    );
  }

  /** Every property of the class, or of one it extends, that has a decorator. */
  private fieldsOf(metatype: Type): readonly string[] {
    let fields = this.fields.get(metatype);
    if (fields === undefined) {
      const rules = getMetadataStorage().getTargetValidationMetadatas(metatype, '', false, false);
      fields = [...new Set(rules.map(({ propertyName }) => propertyName))];
      this.fields.set(metatype, fields);
    }
    return fields;
  }
}

function isMessageClass(metatype: Type): boolean {
  // `ping` has no fields of its own, so its class is the base itself.
  return metatype.prototype === LiveMessageDto.prototype || metatype.prototype instanceof LiveMessageDto;
}
