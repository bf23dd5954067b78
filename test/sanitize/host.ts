/** `#host` for vitest.sanitize.config.ts: Node as it is, except that the addon is the one built with sanitizers. */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export * from '../../src/host/node.js';

export function addonPath(): string {
  const name = `keyhole-${process.platform}-${process.arch}.node`;
  return fileURLToPath(new URL(`../../build/native-address/${name}`, import.meta.url));
}

export function loadAddon(): unknown {
  return createRequire(import.meta.url)(addonPath()) as unknown;
}
