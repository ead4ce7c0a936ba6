// What standard input says is done, one JSON object a line: `id`, `do` (the name of an action) and its arguments. Each is
// answered by a line of its own with the same `id`: what came of it as `ok`, or else `error`.
import { createInterface } from 'node:readline'

// One action after the other; resolves when the input ends.
export async function talk(actions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, do: name, ...given } = JSON.parse(line)
    const answer = await act(actions[name], given)
    process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`)
  }
}

async function act(action, given) {
  try {
    return { ok: (await action(given)) ?? null }
  } catch (error) {
    return { error: `${error}: ${error?.cause ?? ''}` }
  }
}

// Traits as a program gives them to the SDK; JSON has no `undefined`, so a test writes {"undefined": true}.
export function traitsOf(given) {
  const traits = Object.entries(given ?? {})
  return Object.fromEntries(traits.map(([key, value]) => [key, value?.undefined ? undefined : value]))
}

// What OpenFeature says of a flag, as every driver shows it.
export function detailsShown({ value, reason, variant, errorCode }) {
  return { value, reason, variant: variant ?? null, error: errorCode ?? null }
}
