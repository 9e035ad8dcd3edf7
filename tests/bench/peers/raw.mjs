// The floor: prebuilt bytes out, sizes only in.
import { hosted } from '../places.mjs';

export default {
    name: 'raw',
    command: (role, { url, subject, size }) => {
        const { protocol, port } = new URL(url);
        const transport = protocol === 'ws:' ? 'ws' : 'tcp';
        return [hosted('tests/bench/raw'), [role, transport, port, subject, size], {}];
    },
};
