import { LocationProvider, Route, Router } from 'preact-iso';
import { server } from './api/server.js';
import { ThemeSwitch } from './ui/theme.js';
import { ComparePage } from './views/compare.js';
import { RunPage } from './views/run-page.js';
import { RunsPage } from './views/runs-page.js';

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
        <ThemeSwitch />
        {server.value?.queueBoard && (
          <a href={server.value.queueBoard} target="_self">
            Queue
          </a>
        )}
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
          <Route path="/runs/:runId" component={RunPage} />
          <Route path="/runs/:runId/:view" component={RunPage} />
          <Route default component={NotFound} />
        </Router>
      </main>
    </LocationProvider>
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
