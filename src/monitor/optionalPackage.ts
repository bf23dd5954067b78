/** Packages that a run works without: loaded when first needed, and when missing named with the line that installs them. */

import { StateError } from '../core/errors.js';

/** What `load` imports. Errors: StateError with the `npm i` line when the package is not installed. */
export async function optionalPackage<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new StateError(`${name}: expected the optional package ${name}, got none; run \`npm i ${name}\``, { cause });
  }
}
