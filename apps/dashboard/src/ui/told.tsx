import { useState } from 'preact/hooks';
import { RequestError } from '../api/client.js';
import { Problem } from './states.js';

/** What was asked of the server last, and what came of it. */
type Told =
  | { readonly kind: 'asked'; readonly text: string }
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'refused'; readonly error: RequestError };

export interface Telling {
  readonly told: Told | undefined;
  readonly isAsking: boolean;
  /** @param text what is said meanwhile. @param order @returns what came of it, in words. */
  readonly tell: (text: string, order: () => Promise<string>) => Promise<void>;
}

/** One order at a time: what is under way, what came of it and what was refused is kept until the next. */
export function useTelling(): Telling {
  const [told, setTold] = useState<Told>();
  const tell = async (text: string, order: () => Promise<string>) => {
    setTold({ kind: 'asked', text });
    try {
      setTold({ kind: 'done', text: await order() });
    } catch (error) {
      const refusal = error instanceof RequestError ? error : new RequestError('FAILED', String(error));
      setTold({ kind: 'refused', error: refusal });
    }
  };
  return { told, isAsking: told?.kind === 'asked', tell };
}

export function ToldStatus({ told }: Pick<Telling, 'told'>) {
  return (
    <>
      <div role="status" class="faint">
        {told && told.kind !== 'refused' && told.text}
      </div>
      {told?.kind === 'refused' && <Problem>{told.error.message}</Problem>}
    </>
  );
}
