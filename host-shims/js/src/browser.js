export * from './common.js';
export { browserHost } from './host-browser.js';
