import { serve } from './guest-worker.js';

serve({
    post: (message) => globalThis.postMessage(message),
    listen: (handler) => (globalThis.onmessage = ({ data }) => handler(data)),
});
