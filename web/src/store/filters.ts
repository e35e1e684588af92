/** Named filters of the tracks list, kept on this machine. */
import { ref, type Ref } from 'vue'
import type { TrackFilter } from './search'

export interface SavedFilter {
  name: string
  filter: TrackFilter
}
export const FILTERS_LIMIT = 30
const KEY = 'aquila.filters'
const NAME_LENGTH = 40

function isFilter(value: unknown): value is SavedFilter {
  const one = value as Partial<SavedFilter> | null
  return typeof one?.name === 'string' && typeof one.filter === 'object' && one.filter !== null
}

/** What was kept; anything broken counts as nothing. */
export function readFilters(stored: string | null): SavedFilter[] {
  try {
    const kept: unknown = JSON.parse(stored ?? '[]')
    return Array.isArray(kept) ? kept.filter(isFilter).slice(0, FILTERS_LIMIT) : []
  } catch {
    return []
  }
}

export class Filters {
  readonly saved: Ref<SavedFilter[]> = ref(readFilters(localStorage.getItem(KEY)))

  /** Keeps a filter under a name; the same name is put in its place. */
  save(name: string, filter: TrackFilter): void {
    const wanted = name.trim().slice(0, NAME_LENGTH)
    if (!wanted) return
    const others = this.saved.value.filter((one) => one.name !== wanted)
    this.keep([...others, { name: wanted, filter }].slice(-FILTERS_LIMIT))
  }

  drop(name: string): void {
    this.keep(this.saved.value.filter((one) => one.name !== name))
  }

  private keep(filters: SavedFilter[]): void {
    this.saved.value = filters
    localStorage.setItem(KEY, JSON.stringify(filters))
  }
}
