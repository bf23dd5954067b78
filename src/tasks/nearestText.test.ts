import { describe, expect, it } from 'vitest';
import { NearestText } from './nearestText.js';

describe('NearestText', () => {
  const index = new NearestText(['Close the editor', 'Close all editors', 'Show the output', 'ab', 'Close the editor']);

  it('finds the text that shares most, the first of equals, whatever the case', () => {
    expect(index.find('close THE editor')).toBe(0);
    expect(index.find('Close all the editors')).toBe(1);
    expect(index.find('output')).toBe(2);
  });

  it('prefers the whole to a part: a long text that holds a short one is not nearer than its equal', () => {
    expect(new NearestText(['show the output of the task', 'show']).find('show')).toBe(1);
  });

  it('finds nothing where nothing is shared', () => {
    expect(index.find('zzz')).toBeUndefined();
    expect(index.find('')).toBeUndefined();
    expect(new NearestText([]).find('Close')).toBeUndefined();
  });
});
