// Where the Makefile puts the programs that run here.
import path from 'node:path';
import { root } from '../support/harness.mjs';

export const hosted = (name) => path.resolve(root, process.env.B ?? 'build', name);
