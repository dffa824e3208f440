/** A store that takes its process with it. */
export default function open() {
  console.error("the last words of a store");
  process.exit(3);
}
