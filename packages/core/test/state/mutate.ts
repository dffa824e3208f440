/** Changes a live state in place, as agents do, driven by `random` numbers below 2^31. */
export function mutate(
  state: { messages: unknown[]; [key: string]: unknown },
  random: () => number,
  fresh: unknown,
): void {
  const { messages } = state;
  const at = messages.length === 0 ? 0 : random() % messages.length;
  switch (random() % 12) {
    case 0:
      messages.push(fresh);
      break;
    case 1:
      messages.shift();
      messages.push(fresh);
      break;
    case 2:
      messages.splice(at, 1);
      break;
    case 3:
      messages.splice(at, 0, fresh);
      break;
    case 4:
      messages.reverse();
      break;
    case 5:
      messages.sort((a, b) => (typeof a === typeof b ? 0 : typeof a < typeof b ? -1 : 1));
      break;
    case 6:
      change(messages[at], random, fresh);
      break;
    case 7:
      state[`k${random() % 5}`] = fresh;
      break;
    case 8:
      delete state[`k${random() % 5}`];
      break;
    case 9:
      state.step = fresh;
      break;
    case 10:
      messages[at] = messages[(at * 7 + 3) % Math.max(1, messages.length)];
      break;
    default:
      state.text = `${typeof state.text === "string" ? state.text : ""} and then it went on, word by word ${random()}`;
  }
}

function change(message: unknown, random: () => number, fresh: unknown): void {
  if (Array.isArray(message)) message.push(fresh);
  else if (message instanceof Map) message.set(random() % 3, fresh);
  else if (message instanceof Set) message.add(fresh);
  else if (
    typeof message === "object" &&
    message !== null &&
    Object.getPrototypeOf(message) === Object.prototype
  ) {
    Object.defineProperty(message, `m${random() % 3}`, {
      value: fresh,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

/** A stream of numbers from a seed. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 1;
  };
}
