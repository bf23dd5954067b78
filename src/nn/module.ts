/**
 * The base of everything with parameters. A module's own fields are its tree: Tensor fields are parameters, Module
 * fields and arrays of Modules are children, and the field names joined by dots are the names in checkpoints.
 */

import { Tensor } from '../tensor/tensor.js';

/** A node of a model's tree. Subclasses add fields and a `forward`. */
export abstract class Module {
  /** Own and inherited parameters by checkpoint name, in field order: `encoder.blocks.3.attention.q.weight`. */
  parameters(): Map<string, Tensor> {
    const found = new Map<string, Tensor>();
    for (const [path, module] of this.modules()) {
      for (const [name, value] of Object.entries(module)) {
        if (value instanceof Tensor) found.set(path === '' ? name : `${path}.${name}`, value);
      }
    }
    return found;
  }

  /** This module under `''` and every descendant by path, parents first. */
  modules(): Map<string, Module> {
    const found = new Map<string, Module>([['', this]]);
    for (const [name, child] of children(this)) {
      for (const [path, module] of child.modules()) found.set(path === '' ? name : `${name}.${path}`, module);
    }
    return found;
  }

  /** Number of trainable values. */
  parameterCount(): number {
    let count = 0;
    for (const parameter of this.parameters().values()) count += parameter.size;
    return count;
  }
}

function* children(module: Module): Generator<[string, Module]> {
  for (const [name, value] of Object.entries(module)) {
    if (value instanceof Module) yield [name, value];
    else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) if (item instanceof Module) yield [`${name}.${index}`, item];
    }
  }
}
