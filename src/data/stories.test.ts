import { describe, expect, it } from 'vitest';
import { RandomStream } from '../core/random.js';
import { drawStory, type Story, storyKinds, storyText } from './stories.js';

const options = { maxDistance: 8, lead: 3 };
const drawn = (kind: (typeof storyKinds)[number], count = 300): Story[] => {
  const random = new RandomStream(kind);
  return Array.from({ length: count }, () => drawStory(kind, options, random));
};

/** The answer that the sentences give to somebody who keeps track of everything, without knowing which ones matter. */
function solve({ kind, sentences, question }: Story): string {
  const words = sentences.map((sentence) => sentence.split(' '));
  const asked = question.split(' ');
  const moves = words.filter((sentence) => sentence[1] === 'went').map(([who, , , , place]) => [who, place]);
  const pathOf = (who: string | undefined): (string | undefined)[] =>
    moves.filter(([other]) => other === who).map(([, place]) => place);
  const carrier = (thing: string | undefined): string | undefined =>
    words.filter((sentence) => sentence[1] === 'took' && sentence[3] === thing).at(-1)?.[0];
  const isA = (who: string | undefined): string | undefined =>
    words.find((sentence) => sentence[0] === who && sentence[2] === 'a')?.[3];
  switch (kind) {
    case 1:
      return pathOf(asked[2]).at(-1) ?? '';
    case 2:
      return pathOf(carrier(asked[3])).at(-1) ?? '';
    case 3: {
      const path = pathOf(carrier(asked[3]));
      return path[path.lastIndexOf(asked[6]) - 1] ?? '';
    }
    case 15:
      return words.find(([species, verb]) => verb === 'fear' && species === isA(asked[2]))?.[2] ?? '';
    case 16: {
      const species = isA(asked[3]);
      const model = words.find(
        ([who, , article, kindOf]) => who !== asked[3] && article === 'a' && kindOf === species,
      )?.[0];
      return words.find(([who, , colour]) => who === model && colour !== 'a')?.[2] ?? '';
    }
  }
}

describe.each(storyKinds)('stories of kind %i', (kind) => {
  it('have the answer that follows from them', () => {
    for (const story of drawn(kind)) expect([storyText(story), solve(story)]).toEqual([storyText(story), story.answer]);
  });

  it('have it from the needed sentences alone', () => {
    for (const story of drawn(kind)) {
      const sentences = story.support.map((index) => story.sentences[index] as string);
      expect(solve({ ...story, sentences })).toBe(story.answer);
    }
  });

  it('need every one of the needed sentences', () => {
    for (const story of drawn(kind, 50)) {
      const answers = story.support.map((left) =>
        solve({
          ...story,
          sentences: story.support.filter((i) => i !== left).map((i) => story.sentences[i] as string),
        }),
      );
      expect(answers).not.toContain(story.answer);
    }
  });

  it('have the distance that they say, and all distances', () => {
    const stories = drawn(kind);
    for (const { sentences, support, distance } of stories) {
      expect(sentences.length - (support[0] as number)).toBe(distance);
      expect([...support].sort((a, b) => a - b)).toEqual(support);
    }
    expect(Math.max(...stories.map(({ distance }) => distance))).toBe(8);
    expect(Math.min(...stories.map(({ distance }) => distance))).toBe([15, 2].includes(kind) ? 2 : kind === 1 ? 1 : 3);
  });

  it('are the same for one seed', () => {
    expect(drawn(kind, 20)).toEqual(drawn(kind, 20));
  });
});

it('a distance that no plot fits into is refused', () => {
  expect(() => drawStory(3, { maxDistance: 2, lead: 0 }, new RandomStream(1))).toThrow(/maxDistance >= 3 for kind 3/);
});
