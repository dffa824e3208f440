/** How often properties are tried: CKPT_PROPERTY_RUNS, or a number that keeps the suite quick. */
export const propertyRuns = (usual = 300) => ({ numRuns: Number(process.env.CKPT_PROPERTY_RUNS ?? usual) });
