// A guest in a worker: it takes turns as the main thread says (runners.js).
import { Guest } from './guest.js';

/** port: post(message) to the main thread, listen(handler) to it. */
export function serve({ post, listen }) {
    let guest;
    listen(([what, argument]) => {
        if (what === 'start') {
            const log = (level, text) => post(['log', level, text]);
            guest = new Guest({ ...argument, log });
        }
        post(['turn', guest[what](argument)]);
    });
}
