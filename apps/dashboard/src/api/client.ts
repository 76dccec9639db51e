import type {
  ApiError,
  ControlledRun,
  ExperimentFault,
  ListedSoon,
  RunSnapshot,
  ServerDescription,
  StartedRun,
  WorkerList,
  WorkerLog,
} from '@nesgd/core/view';

/** The server said no, and why; or nothing at all, then the code is `UNREACHABLE`. */
export class RequestError extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** Of an experiment. */
    readonly faults: readonly ExperimentFault[] = [],
  ) {
    super(message);
  }
}

export function fetchRuns(): Promise<ListedSoon[]> {
  return get('/api/runs?partial=true');
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

/** @param journal of the lines that are known. */
export function eventsUrl(runId: string, after: number, journal: string): string {
  return `/api/runs/${encodeURIComponent(runId)}/events?after=${after}&journal=${encodeURIComponent(journal)}`;
}

/** What a run can be told; `pause now` gives up what is under way, too. */
export type Order = 'pause' | 'pause now' | 'resume' | 'stop' | 'retry' | { readonly priority: number };

/** @returns how the run stands then. @throws RequestError where it cannot do so, or does not answer. */
export function giveOrder(runId: string, order: Order): Promise<ControlledRun> {
  const path = `/api/runs/${encodeURIComponent(runId)}`;
  if (typeof order === 'object') return post(`${path}/priority`, order);
  if (order === 'pause now') return post(`${path}/pause`, { now: true });
  return post(`${path}/${order}`, {});
}

export interface StartRequest {
  /** YAML. */
  readonly experiment: string;
  readonly runId?: string;
  readonly priority?: number;
  readonly workers?: number;
}

/** @throws RequestError, with the experiment's faults where it is not valid. */
export function startRun(request: StartRequest): Promise<StartedRun> {
  return post('/api/runs', request);
}

/** The experiment of a run, as a file. */
export async function fetchExperiment(runId: string): Promise<string> {
  return (await ask(`/api/runs/${encodeURIComponent(runId)}/experiment`, {})).text();
}

export function fetchWorkers(): Promise<WorkerList> {
  return get('/api/workers');
}

/** @param worker its name, or `name:pid`. */
export function drainWorker(worker: string): Promise<unknown> {
  return post(`/api/workers/${encodeURIComponent(worker)}/drain`, {});
}

function get<T>(path: string): Promise<T> {
  return json(path, { headers: { Accept: 'application/json' } });
}

function post<T>(path: string, body: object): Promise<T> {
  const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  return json(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function json<T>(path: string, init: RequestInit): Promise<T> {
  return (await (await ask(path, init)).json()) as T;
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, init).catch(() => undefined);
  if (!response) throw new RequestError('UNREACHABLE', 'the coordinator does not answer');
  if (response.status === 401) {
    location.assign('/login');
    throw new RequestError('LOGIN', 'you are logged out');
  }
  if (response.ok) return response;
  const { code, message, faults } = ((await response.json().catch(() => undefined)) ?? {}) as Partial<ApiError>;
  throw new RequestError(code ?? 'FAILED', message ?? `the coordinator answered ${response.status}`, faults);
}
