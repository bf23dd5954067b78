/** What differs between Node and a page, for browser; the other half exports the same names. */

export * from './browser/files.js';
export * from './browser/system.js';
