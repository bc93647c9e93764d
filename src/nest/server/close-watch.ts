import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { AbstractHttpAdapter, ModulesContainer } from '@nestjs/core';

/** Hears of `app.close()` before other hooks on Nest 11, whose adapters have no `beforeClose`. */
@Injectable()
export class CloseWatch implements OnModuleDestroy {
  /** Called once, when the application begins to close. */
  onClose: (() => void) | undefined;

  onModuleDestroy(): void {
    this.onClose?.();
  }
}

/** Nest calls `onModuleDestroy` by distance: the root has 1 and global modules come last. */
@Module({ providers: [CloseWatch], exports: [CloseWatch] })
export class CloseWatchModule {
  constructor(modules: ModulesContainer) {
    if ('beforeClose' in AbstractHttpAdapter.prototype) return;
    for (const module of modules.values()) if (module.metatype === CloseWatchModule) module.distance = -1;
  }
}
