import type { ApiError, ControlledRun, ListedRun, RunSnapshot, ServerDescription, WorkerLog } from '@nesgd/core/view';

/** The server said no, and why; or nothing at all, then the code is `UNREACHABLE`. */
export class RequestError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function fetchRuns(): Promise<ListedRun[]> {
  return get('/api/runs');
}

export function fetchServer(): Promise<ServerDescription> {
  return get('/api/server');
}

/** @param after only lines with a higher seq. @param limit no more lines than these, and those that are read by now. */
export function fetchRun(runId: string, after: number, limit: number): Promise<RunSnapshot> {
  return get(`/api/runs/${encodeURIComponent(runId)}?after=${after}&limit=${limit}`);
}

export function fetchLogs(runId: string): Promise<WorkerLog[]> {
  return get(`/api/runs/${encodeURIComponent(runId)}/logs`);
}

export function eventsUrl(runId: string, after: number): string {
  return `/api/runs/${encodeURIComponent(runId)}/events?after=${after}`;
}

/** What a run that goes on can be told. */
export type Order = 'pause' | 'resume' | 'stop';

/** @returns how the run stands then. @throws RequestError where it cannot do so, or does not answer. */
export function giveOrder(runId: string, order: Order): Promise<ControlledRun> {
  return request(`/api/runs/${encodeURIComponent(runId)}/${order}`, {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    body: '{}',
  });
}

function get<T>(path: string): Promise<T> {
  return request(path, { headers: { Accept: 'application/json' } });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(path, init).catch(() => undefined);
  if (!response) throw new RequestError('UNREACHABLE', 'the coordinator does not answer');
  if (response.status === 401) {
    location.assign('/login');
    throw new RequestError('LOGIN', 'you are logged out');
  }
  if (response.ok) return (await response.json()) as T;
  const refusal = (await response.json().catch(() => undefined)) as ApiError | undefined;
  throw new RequestError(refusal?.code ?? 'FAILED', refusal?.message ?? `the coordinator answered ${response.status}`);
}
