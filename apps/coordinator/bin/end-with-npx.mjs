const LOOK_EVERY_MS = 500;

/**
 * `npx` starts a shell, and that starts this process. SIGTERM to npx alone ends both of them and never comes here: a
 * parent that is gone is then taken for it. (SIGINT to npx alone the shell keeps to itself until this process ends.)
 */
export function endWithNpx() {
  if (process.env.npm_command !== 'exec') return;
  const shell = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(look);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS).unref();
}
