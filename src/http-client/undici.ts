import openTunnel from 'undici/lib/api/api-connect.js';
import request from 'undici/lib/api/api-request.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';

/*
 * The parts of undici that the agent uses. Its main module also loads fetch, WebSockets and caches, which cost an idle
 * agent 5 MB of memory. As it does, this one gives dispatchers their methods.
 */
Object.assign(Dispatcher.prototype, { connect: openTunnel, request });

export type { Dispatcher } from 'undici';
export { default as buildConnector } from 'undici/lib/core/connect.js';
export { default as errors } from 'undici/lib/core/errors.js';
export { default as Agent } from 'undici/lib/dispatcher/agent.js';
export { default as Pool } from 'undici/lib/dispatcher/pool.js';
export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js';
