import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { server } from './api/server.js';
import { ThemeSwitch } from './ui/theme.js';
import { ComparePage } from './views/compare.js';
import { NewRunPage } from './views/new-run-page.js';
import { RunPage } from './views/run-page.js';
import { RunsPage } from './views/runs-page.js';
import { WorkersPage } from './views/workers-page.js';

export function App() {
  return (
    <LocationProvider>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <header class="top">
        <a href="/" class="brand">
          nesgd
        </a>
        <Pages />
        <ThemeSwitch />
        {server.value?.login && (
          <form method="post" action="/logout">
            <button type="submit">Log out</button>
          </form>
        )}
      </header>
      <main id="content" tabIndex={-1}>
        <Router>
          <Route path="/" component={RunsPage} />
          <Route path="/compare" component={ComparePage} />
          <Route path="/new" component={NewRunPage} />
          <Route path="/workers" component={WorkersPage} />
          <Route path="/runs/:runId" component={RunPage} />
          <Route path="/runs/:runId/:view" component={RunPage} />
          <Route default component={NotFound} />
        </Router>
      </main>
    </LocationProvider>
  );
}

function Pages() {
  const { path } = useLocation();
  const current = (href: string) => (path === href ? ('page' as const) : undefined);
  return (
    <nav class="pages" aria-label="Pages">
      <a href="/" aria-current={current('/')}>
        Runs
      </a>
      <a href="/new" aria-current={current('/new')}>
        Start a run
      </a>
      <a href="/workers" aria-current={current('/workers')}>
        Workers
      </a>
      {server.value?.queueBoard && (
        <a href={server.value.queueBoard} target="_self">
          Queue
        </a>
      )}
    </nav>
  );
}

function NotFound() {
  return (
    <>
      <h1>There is nothing here</h1>
      <p>
        <a href="/">All runs</a>
      </p>
    </>
  );
}
