import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { NesgdError } from '@nesgd/core/errors';
import { type Snapshot, snapshotSchema } from '@nesgd/core/storage';
import { type Artifact, artifactRoute, snapshotRoute, stateRoute } from '@nesgd/core/transfer';

/** A transfer that did not come about. `retryable`: the same request may succeed in a moment. */
export class TransferError extends NesgdError {}

export interface Delivery {
  /** Where `chunks` begin in the content, and how long all of it is; in bytes. */
  readonly offset: number;
  readonly total: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface CoordinatorAddress {
  /** From this worker's own settings, never from a job: a job must not choose whom the secret is sent to. */
  readonly url: string;
  readonly secret: string;
}

export interface ClientOptions {
  /** A coordinator that says nothing for this long is taken for gone. */
  readonly idleTimeoutMs?: number;
}

/** The coordinator's artifact service, one request at a time; trying again is the caller's. */
export class CoordinatorClient {
  readonly #idleTimeoutMs: number;

  constructor(
    private readonly coordinator: CoordinatorAddress,
    options: ClientOptions = {},
  ) {
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 30_000;
  }

  /** Asks for the content from byte `offset` on; it may come from the beginning all the same. @throws TransferError */
  async get(artifact: Artifact, offset: number, signal: AbortSignal): Promise<Delivery> {
    const idle = new IdleTimeout(this.#idleTimeoutMs, signal);
    const headers = offset > 0 ? { Range: `bytes=${offset}-` } : {};
    try {
      const response = await this.#request('GET', artifact, { headers, signal: idle.signal });
      if (response.status === 416) {
        // Our part is no part of it: begin at the beginning.
        await response.body?.cancel();
        return await this.get(artifact, 0, signal);
      }
      if (response.status !== 200 && response.status !== 206) throw await this.#refusal('GET', artifact, response);
      const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? [];
      const total = Number(response.status === 206 ? size : response.headers.get('content-length'));
      const start = response.status === 206 ? Number(from) : 0;
      if (!Number.isSafeInteger(total) || (start !== 0 && start !== offset)) {
        throw new TransferError(
          'ARTIFACT_SERVICE',
          `${this.#urlOf(artifact)} answered with a range that makes no sense`,
        );
      }
      return { offset: start, total, chunks: this.#chunks(artifact, response, idle) };
    } catch (error) {
      idle.end();
      throw error;
    }
  }

  /** Whether the coordinator has it. @throws TransferError */
  async has(artifact: Artifact, signal: AbortSignal): Promise<boolean> {
    const idle = new IdleTimeout(this.#idleTimeoutMs, signal);
    try {
      const response = await this.#request('HEAD', artifact, { signal: idle.signal });
      if (response.status === 404) return false;
      if (!response.ok) throw await this.#refusal('HEAD', artifact, response);
      return true;
    } finally {
      idle.end();
    }
  }

  /** Sends weights. @param path the file, whose SHA-256 is the artifact's name. @throws TransferError */
  async put(artifact: Artifact, path: string, signal: AbortSignal): Promise<void> {
    const response = await this.#upload(artifactRoute(artifact), path, signal);
    if (!response.ok) throw await this.#refusal('PUT', artifact, response);
    await response.body?.cancel();
  }

  /** How far the coordinator knows a job's training to have come. @throws TransferError */
  async snapshot(name: string, signal: AbortSignal): Promise<Snapshot | undefined> {
    const idle = new IdleTimeout(this.#idleTimeoutMs, signal);
    try {
      const response = await this.#send('GET', snapshotRoute(name), { signal: idle.signal });
      if (response.ok) return snapshotSchema.safeParse(await response.json()).data;
      await response.body?.cancel();
      return undefined;
    } finally {
      idle.end();
    }
  }

  /** Sends the state of a job's training. @param path its file. @returns whether the coordinator has it now. @throws TransferError */
  async putState(name: string, snapshot: Snapshot, path: string, signal: AbortSignal): Promise<boolean> {
    const response = await this.#upload(stateRoute(name, snapshot), path, signal);
    await response.body?.cancel();
    return response.ok;
  }

  async #upload(route: string, path: string, signal: AbortSignal): Promise<Response> {
    const idle = new IdleTimeout(this.#idleTimeoutMs, signal);
    const body = createReadStream(path).on('data', () => idle.touch());
    try {
      const stream = Readable.toWeb(body) as ReadableStream<Uint8Array>;
      return await this.#send('PUT', route, { body: stream, duplex: 'half', signal: idle.signal });
    } finally {
      idle.end();
      body.destroy();
    }
  }

  #urlOf(artifact: Artifact): string {
    return this.#url(artifactRoute(artifact));
  }

  #url(route: string): string {
    return this.coordinator.url.replace(/\/+$/, '') + route;
  }

  #request(method: string, artifact: Artifact, init: RequestInit): Promise<Response> {
    return this.#send(method, artifactRoute(artifact), init);
  }

  async #send(method: string, route: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.#url(route), {
        ...init,
        method,
        // An answer from elsewhere than the address that was set is no answer, and must not be sent the secret.
        redirect: 'error',
        headers: {
          ...init.headers,
          Authorization: `Bearer ${this.coordinator.secret}`,
          'Accept-Encoding': 'identity', // Ranges count bytes of the content as it is.
        },
      });
    } catch (cause) {
      throw this.#broken(route, cause);
    }
  }

  async *#chunks(artifact: Artifact, response: Response, idle: IdleTimeout): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body ?? []) {
        idle.touch();
        yield chunk;
      }
    } catch (cause) {
      throw this.#broken(artifactRoute(artifact), cause);
    } finally {
      idle.end();
    }
  }

  #broken(route: string, cause: unknown): TransferError {
    // fetch wraps what happened on the socket.
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const reason = inner instanceof Error ? inner.message || inner.name : String(inner);
    return new TransferError('COORDINATOR_UNREACHABLE', `${this.#url(route)}: ${reason}`, true, { cause });
  }

  async #refusal(method: string, artifact: Artifact, response: Response): Promise<TransferError> {
    await response.body?.cancel();
    const what = `${method} ${this.#urlOf(artifact)}`;
    switch (response.status) {
      case 401:
        return new TransferError(
          'SECRET_WRONG',
          `${what}: the secret is not that of the coordinator: set NESGD_SECRET`,
        );
      case 404:
        return new TransferError(
          'ARTIFACT_UNKNOWN',
          `${what}: the run of the coordinator there does not know it: the job is of another run, or its coordinator has just been started again`,
        );
      default:
        return new TransferError('ARTIFACT_SERVICE', `${what}: status ${response.status}`, response.status >= 500);
    }
  }
}

/** Aborts when nothing happens for too long, or when another signal does. */
class IdleTimeout {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(timeoutMs: number, other: AbortSignal) {
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`silent for ${timeoutMs} ms`)), timeoutMs);
    this.signal = AbortSignal.any([other, this.#controller.signal]);
  }

  touch(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
