import { useEffect, useState } from 'preact/hooks';
import { RequestError } from './client.js';

export interface Polled<T> {
  /** The last answer. */
  readonly value: T | undefined;
  /** Why the last question had none. */
  readonly problem: string | undefined;
}

/** Asks again and again while somebody looks. @param ask the same function each time. */
export function usePolled<T>(ask: () => Promise<T>, intervalMs: number): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ value: undefined, problem: undefined });
  useEffect(() => {
    let timer: number | undefined;
    let isOver = false;
    const refresh = async () => {
      try {
        if (!document.hidden) {
          const value = await ask();
          if (isOver) return;
          setPolled({ value, problem: undefined });
        }
      } catch (error) {
        if (isOver) return;
        const problem = error instanceof RequestError ? error.message : String(error);
        setPolled(({ value }) => ({ value, problem }));
      }
      timer = setTimeout(refresh, intervalMs);
    };
    void refresh();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [ask, intervalMs]);
  return polled;
}
