/** What decides a training's bits besides its job: another edition of the engine rounds another way. */

/** Pinned with its SHA-256 in infra/setup/requirements/. */
export const TENSORFLOW_VERSION = '2.21.0';
/** First digits of the SHA-256 of packages/core/native, whose operations are compiled into the binding (a test compares). */
export const OPERATIONS_DIGEST = '51ecdcb8';

export const EDITION = { tensorflow: TENSORFLOW_VERSION, operations: OPERATIONS_DIGEST } as const;
