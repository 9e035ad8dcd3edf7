export * from './constants.js';
export { Embedding } from './embedding.js';
export { instantiate, Reactor } from './reactor.js';
export { Areas } from './areas.js';
export { Cells, openCells } from './cells.js';
export { NatletError, Status, STATUS_LIST } from './status.js';
export {
    mergeAuthenticators,
    tokenAuthenticator,
    usernamePasswordAuthenticator,
} from './authenticators.js';
