/** How fast each link's counters grow, from two readings; the node counts, it does not keep rates. */
import type { LinkState } from '../api/types'

export interface Rate {
  in_per_s: number
  out_per_s: number
}
interface Reading {
  at_ms: number
  in_count: number
  out_count: number
}
/** A rate over less than this says nothing. */
const LEAST_MS = 2000
/** An older reading counts no longer: rates are those of now. */
const MOST_MS = 60_000

export class LinkRates {
  private readonly last = new Map<string, Reading>()
  private rates = new Map<string, Rate>()

  /** Takes a reading of all links; `at_ms` runs evenly (monotonic). Answers the rates by link id. */
  read(links: readonly LinkState[], at_ms: number): ReadonlyMap<string, Rate> {
    const rates = new Map<string, Rate>()
    for (const link of links) {
      const { id, in_count, out_count } = link
      const before = this.last.get(id)
      const step_ms = before ? at_ms - before.at_ms : 0
      // Counters that fell belong to a node that was started anew.
      if (!before || step_ms > MOST_MS || in_count < before.in_count || out_count < before.out_count) {
        this.last.set(id, { at_ms, in_count, out_count })
        continue
      }
      const known = this.rates.get(id)
      if (step_ms < LEAST_MS) {
        if (known) rates.set(id, known)
        continue
      }
      rates.set(id, {
        in_per_s: ((in_count - before.in_count) * 1000) / step_ms,
        out_per_s: ((out_count - before.out_count) * 1000) / step_ms,
      })
      this.last.set(id, { at_ms, in_count, out_count })
    }
    const ids = new Set(links.map((link) => link.id))
    for (const id of this.last.keys()) if (!ids.has(id)) this.last.delete(id)
    this.rates = rates
    return rates
  }
}
