import { Controller, Get, Header } from '@nestjs/common';
import { type AsyncApiDocument, LiveAsyncApi } from 'nestjs-live/asyncapi';

/** `GET /asyncapi.json`, and `GET /asyncapi` for people: what clients can follow and send. */
@Controller()
export class ContractController {
  constructor(private readonly contract: LiveAsyncApi) {}

  @Get('asyncapi.json')
  read(): Promise<AsyncApiDocument> {
    return this.contract.document();
  }

  /** The contract from the side of a client, for generators of clients. */
  @Get('asyncapi.client.json')
  readAsClient(): Promise<AsyncApiDocument> {
    return this.contract.document('client');
  }

  @Get('asyncapi')
  @Header('Content-Type', 'text/html; charset=utf-8')
  // The page has a style of its own, and nothing else.
  @Header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
  page(): Promise<string> {
    return this.contract.page();
  }
}
