/** What is wrong with a value, and where in it. */
export interface SchemaIssue {
  /** What is wrong. It may repeat the value, so it is not sent to clients. */
  readonly message: string;
  /** Keys from the value to the wrong part; absent or empty for the value itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema says about a value: the value to use instead, or what is wrong. */
export type SchemaResult<Output = unknown> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/**
 * A schema of any library that implements Standard Schema (https://standardschema.dev), such as
 * zod, valibot or arktype.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The schema's interface for other libraries. */
  readonly '~standard': {
    /** Version of the interface. */
    readonly version: 1;
    /** Name of the library. */
    readonly vendor: string;
    /** Checks a value, now or later. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Types of a value before and after the check; absent at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}
