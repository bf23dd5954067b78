/**
 * The errors Keyhole throws: one base class, six kinds, each with a stable `code` and plain `details`.
 * Text form: `<function>: expected <symbolic = concrete>, got <value>; <hint>`.
 */

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** Base of every error Keyhole throws on purpose. Anything else that escapes is a bug. */
export class KeyholeError extends Error {
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** Sizes, ranks or strides that do not fit together. */
export class ShapeError extends KeyholeError {
  constructor(message: string, details?: ErrorDetails) {
    super('SHAPE', message, details);
  }
}

/** An element type that the operation does not take. */
export class DTypeError extends KeyholeError {
  constructor(message: string, details?: ErrorDetails) {
    super('DTYPE', message, details);
  }
}

/** A backend or target that is missing, broken or refused a call. */
export class BackendError extends KeyholeError {
  constructor(message: string, details?: ErrorDetails) {
    super('BACKEND', message, details);
  }
}

/** A file or text whose content is not what its name promises. */
export class FormatError extends KeyholeError {
  constructor(message: string, details?: ErrorDetails) {
    super('FORMAT', message, details);
  }
}

/** A call that the object's present state forbids: disposed tensor, unknown key, second writer. */
export class StateError extends KeyholeError {
  constructor(message: string, details?: ErrorDetails) {
    super('STATE', message, details);
  }
}

/** Wrong use of a command or a configuration: unknown task, preset, key or value. The command line exits with 2. */
export class UsageError extends KeyholeError {
  constructor(message: string, details?: ErrorDetails) {
    super('USAGE', message, details);
  }
}
