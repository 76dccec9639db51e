import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** A network cable that can be cut: forwards TCP to a port of this machine until `cut`, and again from `heal` on. */
export class SeverableProxy {
  readonly #sockets = new Set<Socket>();
  #whole = true;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async to(port: number): Promise<SeverableProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    const address = server.address();
    const proxy = new SeverableProxy(server, typeof address === 'object' && address ? address.port : 0);
    server.on('connection', (near) => proxy.#forward(near, port));
    return proxy;
  }

  cut(): void {
    this.#whole = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#whole = true;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  #forward(near: Socket, port: number): void {
    if (!this.#whole) {
      near.destroy();
      return;
    }
    const far = createConnection({ host: '127.0.0.1', port });
    const ends: [Socket, Socket][] = [
      [near, far],
      [far, near],
    ];
    for (const [one, other] of ends) {
      this.#sockets.add(one);
      one
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  }
}
