/**
 * Who belongs together, as far as the picture says it: TAK teams, in them headquarters first, then
 * by echelon and name. An order of battle that somebody entered comes with the staff's own part.
 */
import { fold } from '../geo/fold'
import type { TrackMeta } from '../api/types'

export interface OrbatUnit {
  id: string
  name: string
  sidc: string
  affiliation: string
  type: string
}
export interface OrbatGroup {
  /** A team's name; empty for those who say none. */
  name: string
  units: OrbatUnit[]
}

const MEMBERS = new Set(['unit', 'platform'])

/** Digits 9 and 10 of a code tell the echelon (11 team ... 24 army), digit 8 headquarters, task force or dummy. */
export function echelonOf(sidc: string): number {
  const digits = Number(sidc.slice(8, 10))
  return digits >= 11 && digits <= 28 ? digits : 0
}
function isHeadquarters(sidc: string): boolean {
  return '2367'.includes(sidc[7] ?? '')
}

function before(a: OrbatUnit, b: OrbatUnit): number {
  return (
    Number(isHeadquarters(b.sidc)) - Number(isHeadquarters(a.sidc)) ||
    echelonOf(b.sidc) - echelonOf(a.sidc) ||
    fold(a.name).localeCompare(fold(b.name), 'en', { numeric: true })
  )
}

/** `team_of` gives the team of an entity, or undefined. Hostile and unknown ones are no part of it. */
export function orbatOf(metas: Iterable<TrackMeta | undefined>, team_of: (id: string) => string | undefined): OrbatGroup[] {
  const groups = new Map<string, OrbatUnit[]>()
  for (const meta of metas) {
    if (!meta || !MEMBERS.has(meta.category) || meta.affiliation !== 'friend') continue
    const team = team_of(meta.id) ?? ''
    const units = groups.get(team)
    const { id, name, sidc, affiliation, type } = meta
    if (units) units.push({ id, name, sidc, affiliation, type })
    else groups.set(team, [{ id, name, sidc, affiliation, type }])
  }
  const top = (units: OrbatUnit[]) => echelonOf(units[0]?.sidc ?? '')
  return [...groups]
    .map(([name, units]) => ({ name, units: units.sort(before) }))
    .sort((a, b) => Number(!a.name) - Number(!b.name) || top(b.units) - top(a.units) || (a.name < b.name ? -1 : 1))
}
