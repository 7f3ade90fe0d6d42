/**
 * Node.js's own HTTP. An import of `node:http` reads all of its members, and so loads the fetch and WebSockets that come
 * with Node.js: 5 MB of an idle agent's memory.
 */
export const http = process.getBuiltinModule('node:http');
