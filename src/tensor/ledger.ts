/**
 * The stack of handles that open scopes will free: one flat array, a scope is a mark in it. Opening and closing cost a
 * few nanoseconds, so every operation runs in its own section. Next: tensor.ts (what is tracked), scope.ts (public).
 */

/** What the ledger needs to know of a tensor. */
export interface Tracked {
  /** Set by the caller around `closeSection` on handles that move to the parent section. */
  escaping: boolean;
  /** True for what no scope frees: parameters, gradients of leaves, and what `keep` was called on. */
  readonly kept: boolean;
  dispose(): void;
  /** Puts the finalizer under its memory and that of its graph: no scope will free them. */
  guard(): void;
}

const handles: Tracked[] = [];
let depth = 0;

/** Number of open sections. */
export function openSections(): number {
  return depth;
}

/** Registers a new handle with the innermost section; outside of all of them the finalizer watches it. */
export function track(handle: Tracked): void {
  if (depth > 0) handles.push(handle);
  else handle.guard();
}

/** Opens a section and returns its mark. */
export function openSection(): number {
  depth++;
  return handles.length;
}

/** Frees every handle tracked since the mark, except the escaping ones, which move to the parent, and kept ones. */
export function closeSection(mark: number): void {
  depth--;
  let top = mark;
  for (let at = mark; at < handles.length; at++) {
    const handle = handles[at] as Tracked;
    if (handle.kept) handle.guard();
    else if (!handle.escaping) handle.dispose();
    else if (depth > 0) handles[top++] = handle;
    else handle.guard();
  }
  handles.length = top;
}
