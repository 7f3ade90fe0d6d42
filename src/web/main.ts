import { render } from 'preact';
import { html } from './html.ts';

const root = document.getElementById('app');
if (root !== null) render(html`<main><h1>sharedcloud-agent</h1></main>`, root);
