import type { ComponentChildren } from 'preact';

/** @param share of it that is read, where that takes long enough to say. */
export function Loading({ what, share }: { what: string; share?: number | undefined }) {
  return (
    <p role="status" class="faint">
      Reading {what} … {share === undefined ? '' : `${Math.round(100 * share)} %`}
    </p>
  );
}

export function Problem({ children }: { children: ComponentChildren }) {
  return (
    <p role="alert" class="problem">
      {children}
    </p>
  );
}

/** Why a view has nothing to show yet. */
export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="faint">{children}</p>;
}

export function StateMark({ state }: { state: string }) {
  return <span class={`state ${state}`}>{state}</span>;
}
