import { render } from 'preact';
import { askServer } from './api/server.js';
import { App } from './app.js';
import './styles.css';
import { applyStoredTheme } from './ui/theme.js';

applyStoredTheme();
void askServer();
const root = document.getElementById('app');
if (root) render(<App />, root);
