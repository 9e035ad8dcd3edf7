// Puts the classes of the installed @nats-io/nats-core in the place of ours, so that libraries
// on top recognize what they catch.
import { errors as theirs, Features } from '@nats-io/nats-core/internal';
import { compat } from './connection.js';
import { errors } from './errors.js';

const UNKNOWN = { major: 0, minor: 0, micro: 0 };

Object.assign(errors, theirs);
compat.features = (version) => new Features(version ?? UNKNOWN);
