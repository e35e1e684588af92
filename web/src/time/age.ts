/** How old a report is, and what that means for how it is shown. */
import { sign, type UnitSign } from '../geo/units'

export type AgeState = 'fresh' | 'ageing' | 'stale'

export const AGEING_AFTER_MS = 120_000
/** Things that do not move are believed until their own stale time. */
const STILL = new Set(['marker', 'drawing', 'place', 'alert'])

/** Whether a category is one of those that stay where they are. */
export function isStill(category: string): boolean {
  return STILL.has(category)
}

export const AGE_OPACITY: Record<AgeState, number> = { fresh: 1, ageing: 0.7, stale: 0.4 }

/**
 * The state of a report at `now_ms`.
 *
 * `observed_ms` is NaN when nobody knows (then stale); `valid_ms` is how long the reporter asked
 * to be believed, 0 or NaN when it did not say. What is `still` does not age before that.
 */
export function ageState(
  observed_ms: number,
  valid_ms: number,
  still: boolean,
  now_ms: number,
): AgeState {
  if (!(observed_ms > 0)) return 'stale'
  const age_ms = now_ms - observed_ms
  if (valid_ms > 0 && age_ms > valid_ms) return 'stale'
  if (still) return 'fresh'
  return age_ms > AGEING_AFTER_MS ? 'ageing' : 'fresh'
}

/** How long a report is fresh if no newer one comes: `ageState` answers `fresh` up to this age. Infinity: for ever. */
export function freshFor(valid_ms: number, still: boolean): number {
  const believed_ms = valid_ms > 0 ? valid_ms : Infinity
  return still ? believed_ms : Math.min(believed_ms, AGEING_AFTER_MS)
}

const MINUTE_S = 60
const HOUR_S = 3600
const DAY_S = 86_400
/** So old, nobody counts seconds. */
const SECONDS_UNTIL_S = 10 * MINUTE_S

/**
 * A span of time in words, never to be taken for a time of day: `42 s`, `1 min 10 s`, `40 min`, `3 h 20 min`, `2 d 4 h`.
 * Never negative: clocks differ a little.
 */
export function ageClock(age_ms: number): string {
  if (!Number.isFinite(age_ms)) return '–'
  const seconds = Math.max(0, Math.floor(age_ms / 1000))
  if (seconds < MINUTE_S) return inUnits([seconds, 's'])
  const minutes = Math.floor(seconds / MINUTE_S)
  if (seconds < SECONDS_UNTIL_S) return inUnits([minutes, 'min'], [seconds % MINUTE_S, 's'])
  if (seconds < HOUR_S) return inUnits([minutes, 'min'])
  const hours = Math.floor(seconds / HOUR_S)
  if (seconds < DAY_S) return inUnits([hours, 'h'], [minutes % 60, 'min'])
  return inUnits([Math.floor(seconds / DAY_S), 'd'], [hours % 24, 'h'])
}

/** The longest that an `ageClock` of less than four days is, in the language of the page: who holds the room for it moves nothing later. */
export function longestAge(): string {
  return ageClock((DAY_S - MINUTE_S) * 1000)
}

/** The first part, and the second where it is not nothing. */
function inUnits(first: [number, UnitSign], second?: [number, UnitSign]): string {
  const parts = second?.[0] ? [first, second] : [first]
  return parts.map(([count, unit]) => `${count} ${sign(unit)}`).join(' ')
}

/** A coarse age for labels on the map, which must not flicker: `4 min`, `2 h`, `3 d`. */
export function ageRound(age_ms: number): string {
  if (!Number.isFinite(age_ms)) return '?'
  const minutes = Math.max(0, Math.floor(age_ms / 60_000))
  if (minutes < 60) return `${minutes} ${sign('min')}`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} ${sign('h')}` : `${Math.floor(hours / 24)} ${sign('d')}`
}
