import type { ComponentChildren } from 'preact';

export function Loading({ what }: { what: string }) {
  return (
    <p role="status" class="faint">
      Reading {what} …
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
