declare module 'passport-http-bearer' {
  /** Passport's strategy for `Authorization: Bearer …`. The package has no types. */
  export class Strategy {
    readonly name: string;
    constructor(
      options: object,
      verify: (token: string, done: (error: unknown, user?: unknown) => void) => void,
    );
    authenticate(request: object): void;
  }
}
