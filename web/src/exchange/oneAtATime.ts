/** Questions to the node, one at a time: what is asked for meanwhile, however often, is one question more. */

/**
 * Where the journal brings papers faster than the node answers, asking anew for each and dropping the older answers
 * would show none at all. Whoever waits, waits for an answer that was asked for after the wish.
 */
export function oneAtATime(ask: () => Promise<void>): () => Promise<void> {
  let asking: Promise<void> | null = null
  let next: Promise<void> | null = null
  async function run(): Promise<void> {
    try {
      await ask()
    } finally {
      asking = null
    }
  }
  return function again(): Promise<void> {
    if (!asking) return (asking = run())
    next ??= asking.catch(() => undefined).then(() => {
      next = null
      return again()
    })
    return next
  }
}
