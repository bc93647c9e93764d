import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { Injectable } from '@nestjs/common';

export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The files of the page, read once at start, so that no name from a request reaches the disk. */
@Injectable()
export class PageFiles {
  private readonly files = new Map<string, PageFile>();

  constructor() {
    this.add('', new URL('./page/', import.meta.url));
    // The page runs the published client. Its modules import each other and the protocol by path.
    const client = import.meta.resolve('nestjs-live/client');
    this.add('client/', new URL('./', client));
    this.add('protocol/', new URL('../protocol/', client));
  }

  /** @param name - the name with its folder, for example `client/index.js` */
  get(name: string): PageFile | undefined {
    return this.files.get(name);
  }

  private add(prefix: string, folder: URL): void {
    for (const name of readdirSync(folder)) {
      const contentType = contentTypes[extname(name)];
      if (contentType === undefined) continue;
      this.files.set(prefix + name, { contentType, body: readFileSync(new URL(name, folder)) });
    }
  }
}
