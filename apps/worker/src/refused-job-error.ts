import { NesgdError } from '@nesgd/core/errors';

/** This worker cannot do the job, another may: it goes back to the queue whole, without using up an attempt. */
export class RefusedJobError extends NesgdError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, message, true, options);
  }
}
