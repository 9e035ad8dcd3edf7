import { parentPort } from 'node:worker_threads';
import { serve } from './guest-worker.js';

serve({
    post: (message) => parentPort.postMessage(message),
    listen: (handler) => parentPort.on('message', handler),
});
