// natlet as a native program.
import { hosted } from '../places.mjs';

export default {
    name: 'natlet native',
    command: (role, { url, subject, size }) => [
        hosted('tests/bench/natlet_bench'),
        [role, url, subject, size],
        {},
    ],
};
