export * from './common.js';
export { nodeHost } from './host-node.js';
