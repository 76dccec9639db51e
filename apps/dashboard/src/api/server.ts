import type { ServerDescription } from '@nesgd/core/view';
import { signal } from '@preact/signals';
import { fetchServer } from './client.js';

/** Undefined until it has answered; the page does without. */
export const server = signal<ServerDescription | undefined>(undefined);

export async function askServer(): Promise<void> {
  server.value = await fetchServer().catch(() => undefined);
}
