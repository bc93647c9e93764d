/**
 * Applies decorators to a method like TypeScript does, for plain JavaScript.
 *
 * @param {Function} target
 * @param {string} method
 * @param {readonly MethodDecorator[]} onMethod
 * @param {readonly ParameterDecorator[]} onParameters one for each parameter
 * @param {readonly Function[]} [types] of the parameters
 */
export function decorate(target, method, onMethod, onParameters, types) {
  const { prototype } = target;
  onParameters.forEach((decorator, index) => decorator(prototype, method, index));
  Reflect.defineMetadata('design:paramtypes', types ?? onParameters.map(() => Object), prototype, method);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  for (const decorator of onMethod.toReversed()) decorator(prototype, method, descriptor);
}
