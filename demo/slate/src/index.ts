export * from './events.js';
export * from './hooks.js';
export { Messaging, type Invalid, type MessagingOptions, type MessagingStats } from './messaging.js';
export { BuildSequence, type Completeness } from './sequence.js';
export { subjects, watches, type Category } from './subjects.js';
