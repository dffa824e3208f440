/**
 * The layout of one metric's sufficient statistics in a row of numbers: how many values, three sums, and the sum of the values in the
 * metric's own unit (or of their logarithms) for reports. The three sums are the counts of cells 1, 2, 3 of a discrete metric
 * (cell 0 has the rest), or the sum and the sum of squares of a continuous metric's scores.
 */
export const COUNT = 0;
export const S1 = 1;
export const S2 = 2;
export const S3 = 3;
export const RAW = 4;
export const WIDTH = 5;
