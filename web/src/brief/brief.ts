/** A live brief: saved views in their order. */
import type { TrackFilter } from '../store/search'

export interface BriefStep {
  id: string
  title: string
  notes: string
  /** West, south, east, north in degrees. */
  bounds: [number, number, number, number]
  filter: TrackFilter
  /** The moment that is shown; null: what is then the present. */
  at_ms: number | null
}
export const STEPS_MAX = 60
export const NOTES_MAX = 600

function isStep(value: unknown): value is BriefStep {
  const one = value as Partial<BriefStep> | null
  const bounds = one?.bounds
  return (
    typeof one?.id === 'string' && typeof one.title === 'string' && typeof one.notes === 'string' && typeof one.filter === 'object' && one.filter !== null &&
    Array.isArray(bounds) && bounds.length === 4 && bounds.every(Number.isFinite) && (one.at_ms === null || Number.isFinite(one.at_ms))
  )
}

/** What was kept; anything broken counts as nothing. */
export function readBrief(stored: string | null): BriefStep[] {
  try {
    const kept: unknown = JSON.parse(stored ?? '[]')
    return Array.isArray(kept) ? kept.filter(isStep).slice(0, STEPS_MAX) : []
  } catch {
    return []
  }
}

/** The steps with one moved by so many places; at the ends it stays. */
export function moved(steps: readonly BriefStep[], id: string, by: number): BriefStep[] {
  const from = steps.findIndex((step) => step.id === id)
  const to = from + by
  if (from < 0 || to < 0 || to >= steps.length) return [...steps]
  const now = [...steps]
  now.splice(to, 0, ...now.splice(from, 1))
  return now
}
