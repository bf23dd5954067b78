/**
 * Module paths in words: `decoder.blocks.2.crossAttention` is layer 2 of the decoder's cross-attention.
 */

import { visibleText } from './visibleText.js';

/** Where an attention module stands. */
export interface Place {
  /** All modules of one kind share it: `Decoder cross-attention`; the path itself when it has another form. */
  readonly stack: string;
  readonly layer: string;
}

const words: Readonly<Record<string, string>> = {
  attention: 'self-attention',
  selfAttention: 'self-attention',
  crossAttention: 'cross-attention',
};

export function placeOf(path: string): Place {
  const [, owner, layer, name] = /^([\w.]+)\.blocks\.(\d+)\.(\w+)$/.exec(path) ?? [];
  if (owner === undefined || layer === undefined || name === undefined) {
    return { stack: visibleText(path, 60), layer: 'layer 0' };
  }
  return {
    stack: `${owner.charAt(0).toUpperCase()}${owner.slice(1)} ${words[name] ?? name}`,
    layer: `layer ${layer}`,
  };
}
