/** What a desk has one of, and who asks first makes. */
import type { Desk } from './desk'

/** Gives the one of a desk; it goes with the desk. */
export function perDesk<T>(make: (desk: Desk) => T): (desk: Desk) => T {
  const made = new WeakMap<Desk, { one: T }>()
  return (desk) => {
    let kept = made.get(desk)
    if (!kept) made.set(desk, (kept = { one: make(desk) }))
    return kept.one
  }
}
