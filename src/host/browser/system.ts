/**
 * The machine as a page sees it. Same names as ../node/system.ts.
 */

export function environment(_name: string): string | undefined {
  return undefined;
}

export function processorCount(): number {
  return navigator.hardwareConcurrency;
}

export function addonPath(): string {
  return 'no addon in a browser';
}

export function loadAddon(): unknown {
  throw new Error('a browser loads no native addons');
}

export async function readAsset(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href}: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Browsers have it or not. */
export function enableRelaxedSimd(): void {}
