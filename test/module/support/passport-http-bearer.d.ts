declare module 'passport-http-bearer' {
  /** Passport's strategy for `Authorization: Bearer …`; the package has no types of its own. */
  export class Strategy {
    readonly name: string;
    constructor(
      options: object,
      verify: (token: string, done: (error: unknown, user?: unknown) => void) => void,
    );
    authenticate(request: object): void;
  }
}
