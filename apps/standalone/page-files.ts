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

/** The page's files, read once at start: no name that a request makes up ever reaches the disk. */
@Injectable()
export class PageFiles {
  private readonly files: ReadonlyMap<string, PageFile>;

  constructor() {
    const folder = new URL('./page/', import.meta.url);
    const names = readdirSync(folder).filter((name) => extname(name) in contentTypes);
    this.files = new Map(
      names.map((name) => [
        name,
        { contentType: contentTypes[extname(name)] ?? '', body: readFileSync(new URL(name, folder)) },
      ]),
    );
  }

  get(name: string): PageFile | undefined {
    return this.files.get(name);
  }
}
