/** Remembers the last N ids, so that an entry which comes twice is shown once. */
export class Seen {
  private readonly ids = new Set<string>()

  constructor(private readonly limit = 20_000) {}

  /** True the first time an id is met; the oldest ids are forgotten beyond the limit. */
  first(id: string): boolean {
    if (this.ids.has(id)) return false
    this.ids.add(id)
    if (this.ids.size > this.limit) {
      const oldest = this.ids.values().next().value
      if (oldest !== undefined) this.ids.delete(oldest)
    }
    return true
  }
}
