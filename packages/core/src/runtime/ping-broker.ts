import { connect } from 'node:net';

const ANSWER_TIMEOUT_MS = 1_000;

/** Whether a Redis-compatible server on this machine answers PING behind this password, now. */
export function pingBroker(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    let text = '';
    socket.setEncoding('utf8').setTimeout(ANSWER_TIMEOUT_MS, () => settle(false));
    socket.once('error', () => settle(false)).once('close', () => settle(false));
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('+PONG\r\n')) settle(true);
      // A server that still loads its data refuses with an error for now.
      else if (/^-/m.test(text)) settle(false);
    });
  });
}
