import fc from "fast-check";

/** Runs per property: CKPT_PROPERTY_RUNS, or `normal`. fast-check prints the seed and the path of what fails. */
export function propertyOptions(normal = 300): { numRuns: number; seed: number } {
  const runs = Number(process.env.CKPT_PROPERTY_RUNS ?? normal);
  const seed = Number(process.env.CKPT_PROPERTY_SEED ?? Date.now() % 2 ** 31);
  console.info(`property: ${runs} runs, seed ${seed}`);
  return { numRuns: runs, seed };
}

export { fc };
