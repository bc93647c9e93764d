// For bench/inbound.js: the same messages, guard and DTOs in each Nest application.
import { decorate } from './decorate.js';

export const note = {
  n: 4_711,
  vehicle: 'tram-4711',
  heading: 271,
  text: 'a driver says that the doors are closed again',
};

/** A client gets an answer after this many notes. */
export const notesPerAnswer = 50;

export class NoteGuard {
  canActivate(context) {
    return context.switchToWs().getClient() !== undefined;
  }
}

/**
 * Adds a handler for `note` to a gateway, with a guard and a DTO checked by `ValidationPipe`.
 *
 * @param {Function} gateway
 * @param {(count: number) => unknown} answer
 */
export async function onNote(gateway, answer) {
  const { IsInt, IsString, Length, Max, Min } = await import('class-validator');
  class NoteDto {}
  fields(NoteDto, {
    n: [IsInt(), Min(0)],
    vehicle: [IsString(), Length(1, 64)],
    heading: [IsInt(), Min(0), Max(359)],
    text: [IsString(), Length(0, 200)],
  });
  const counts = new WeakMap();
  gateway.prototype.note = (_note, client) => {
    const count = (counts.get(client) ?? 0) + 1;
    counts.set(client, count);
    return count % notesPerAnswer === 0 ? answer(count) : undefined;
  };
  await handle(gateway, 'note', NoteDto);
}

/**
 * Adds a handler for `publish`, which nestjs-live has built in.
 *
 * @param {Function} gateway
 * @param {(topic: string, data: unknown) => unknown} publish returns the answer
 */
export async function onPublish(gateway, publish) {
  const { IsObject, IsString, Length, Matches } = await import('class-validator');
  class PublishDto {}
  fields(PublishDto, { topic: [IsString(), Length(1, 128), Matches(/^[\w.~/-]+$/)], data: [IsObject()] });
  gateway.prototype.publish = ({ topic, data }) => publish(topic, data);
  await handle(gateway, 'publish', PublishDto);
}

async function handle(gateway, message, dto) {
  const { UseGuards, UsePipes, ValidationPipe } = await import('@nestjs/common');
  const { SubscribeMessage, MessageBody, ConnectedSocket } = await import('@nestjs/websockets');
  decorate(
    gateway,
    message,
    [UseGuards(NoteGuard), UsePipes(new ValidationPipe()), SubscribeMessage(message)],
    [MessageBody(), ConnectedSocket()],
    [dto, Object],
  );
}

function fields(dto, decorators) {
  for (const [name, its] of Object.entries(decorators))
    for (const decorator of its) decorator(dto.prototype, name);
}
