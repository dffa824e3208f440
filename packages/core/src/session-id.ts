const CONSONANTS = "bdfghjklmnprstvz";
const VOWELS = "aiou";

/**
 * A random session id that can be read aloud: `session-` and 64 random bits as four proquints
 * (Wilkerson, "A Proposal for Proquints", 2009), such as `session-lusab-babad-gutih-tugad`.
 */
export function randomSessionId(): string {
  const words = crypto.getRandomValues(new Uint16Array(4));
  return `session-${Array.from(words, proquint).join("-")}`;
}

function proquint(word: number): string {
  const consonant = (shift: number) => CONSONANTS[(word >> shift) & 15];
  const vowel = (shift: number) => VOWELS[(word >> shift) & 3];
  return `${consonant(12)}${vowel(10)}${consonant(6)}${vowel(4)}${consonant(0)}`;
}
