import { html } from 'hono/html';

/** @param problem why the last attempt failed. */
export function loginPage(problem?: string) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in - nesgd</title>
<link rel="stylesheet" href="/login.css">
</head>
<body>
<main>
<h1>nesgd</h1>
${problem ? html`<p role="alert">${problem}</p>` : ''}
<form method="post" action="/login">
<label for="secret">Secret</label>
<input id="secret" name="secret" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Log in</button>
</form>
</main>
</body>
</html>`;
}

export const LOGIN_CSS = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
main { width: min(22rem, 90vw); }
form { display: grid; gap: 0.5rem; }
input, button { font: inherit; padding: 0.5rem; }
button:focus-visible, input:focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; }
[role='alert'] { border-left: 4px solid #d55e00; padding-left: 0.75rem; }
`;
