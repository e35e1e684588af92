/** Who needs help now: one alarm for one emergency, however many entities tell of it. */
import type { TrackStore } from './tracks'

export interface Alarm {
  /** Handle of whom it is about: the caller where it is known, else the alert itself. */
  h: number
  name: string
  /** What the beacon says it is, as TAK writes it; null for an alert without a beacon. */
  emergency: string | null
  medevac: boolean
  /** All entities that tell of it: the caller and its alerts. */
  ids: string[]
  /** When the alert was last raised; the caller's own positions do not make it younger. */
  raised_ms: number
}

/** TAK's words for a beacon -> the word in our catalogues. */
const KINDS: Record<string, string> = {
  '911 alert': 'help',
  '911': 'help',
  'ring the bell': 'bell',
  'in contact': 'contact',
  'troops in contact': 'contact',
  'geo-fence breached': 'fence',
  custom: 'custom',
}

/** The catalogue key of a beacon's kind; null when it is a word that no catalogue knows. */
export function emergencyKey(what: string): string | null {
  const kind = KINDS[what.trim().toLowerCase()]
  return kind ? `act.emergency.${kind}` : null
}

export function isMedevac(type: string): boolean {
  return type.startsWith('b-r-f-h-c')
}

/** An alert by beacon: APP-6 has no symbol for it. */
export function isBeacon(type: string): boolean {
  return type.startsWith('b-a-')
}

/** ATAK names an alert after its caller, `CAMOSCIO 11-Alert`. */
export function callsign(name: string): string {
  return name.replace(/-Alert$/, '')
}

/** Emergencies first, then other alerts, the newest first in both. */
export function alarmsOf(store: TrackStore): Alarm[] {
  const found = new Map<number, Alarm>()
  const raised = new Map<number, number>()
  store.meta.forEach((meta, h) => {
    if (!meta || !(meta.emergency || meta.category === 'alert')) return
    const caller = meta.caller ? store.handleOf(meta.caller) : null
    const key = caller ?? h
    if (meta.category === 'alert') raised.set(key, Math.max(raised.get(key) ?? 0, store.observed_ms[h]))
    const about = store.meta[key]!
    const emergency = about.emergency ?? meta.emergency ?? null
    const ids = new Set([about.id, ...(found.get(key)?.ids ?? []), meta.id])
    found.set(key, {
      h: key,
      name: about.category === 'alert' ? callsign(about.name) : about.name,
      emergency,
      medevac: isMedevac(about.type),
      ids: [...ids],
      raised_ms: store.observed_ms[key],
    })
  })
  for (const [key, at_ms] of raised) found.get(key)!.raised_ms = at_ms
  return [...found.values()].sort(
    (a, b) => Number(!a.emergency) - Number(!b.emergency) || b.raised_ms - a.raised_ms,
  )
}
