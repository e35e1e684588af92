/** What the form of a task says about it, as conditions that the node watches. */
import type { Task, TaskArea, TaskCondition } from '../../api.generated'
import type { DrawingRequest } from '../../draw/drawings'
import { parsePlace } from '../../geo/place'
import type { Blank } from '../steps/blanks'

/** Half a kilometre round a place that was typed: as near as a patrol is seen from a map. */
const ROUND_M = 500
export type Areas = ReadonlyMap<string, Pick<TaskArea, 'points' | 'radius_m'>>

/** Drawn areas by their names. */
export function areasOf(drawings: readonly (DrawingRequest | null)[]): Areas {
  return new Map(drawings.flatMap((one) => (one && (one.shape === 'polygon' || one.shape === 'circle') ? [[one.name, { points: one.points, radius_m: one.radius_m ?? null }]] : [])))
}

export function blanksOf(verbs: readonly string[], areas: Areas, units: readonly string[]): Blank[] {
  const offers = [...areas.keys()]
  return [
    { name: 'unit', kind: 'line', needed: true, offers: units },
    { name: 'verb', kind: 'choice', choices: verbs },
    { name: 'title', kind: 'line' },
    { name: 'hours', kind: 'count' },
    { name: 'reach', kind: 'line', offers },
    { name: 'stay_out', kind: 'line', offers },
    { name: 'report', kind: 'count' },
  ]
}

/** A drawn area by its name, or the circle round a place; null when it is neither. */
function areaOf(text: string, areas: Areas): TaskArea | null {
  const drawn = areas.get(text)
  if (drawn) return { name: text, points: drawn.points, radius_m: drawn.radius_m ?? null }
  const place = parsePlace(text)
  return place && { name: text, points: [[place.lat_deg, place.lon_deg]], radius_m: ROUND_M }
}

type Made = Pick<Task, 'unit' | 'verb' | 'title'> & Partial<Task>
/** The task that a filled form makes; `wrong`: a place that is none. What is to be reached is due when the task ends. */
export function taskOf(fields: Record<string, string>, areas: Areas, now_ms: number): { task: Made; wrong: string | null } {
  const start_ms = Math.floor(now_ms / 60_000) * 60_000
  const end_ms = start_ms + (Number(fields.hours) || 1) * 3_600_000
  const conditions: Partial<TaskCondition>[] = []
  let wrong: string | null = null
  for (const kind of ['reach', 'stay_out'] as const) {
    if (!fields[kind]) continue
    const area = areaOf(fields[kind], areas)
    if (!area) wrong = fields[kind]
    else conditions.push({ kind, area, ...(kind === 'reach' ? { by_ms: end_ms } : {}) })
  }
  if (fields.report) conditions.push({ kind: 'report', minutes: Number(fields.report) })
  const timed = fields.hours || conditions.length ? { start_ms, end_ms } : {}
  return { task: { unit: fields.unit, verb: fields.verb, title: fields.title ?? '', ...timed, ...(conditions.length ? { conditions: conditions as TaskCondition[] } : {}) }, wrong }
}
