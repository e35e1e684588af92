/** Who is whose: nations of devices, of units by their callsigns, and of whoever asks; read when somebody filters. */
import { shallowRef } from 'vue'
import type { EntityRow, UnitRow } from '../api.generated'
import { api, ApiError, call } from '../api/client'
import type { Me } from '../api/types'
import type { TrackIndex } from './search'

/** Grows with every reading, so that what is shown is filtered again. */
export const nations_version = shallowRef(0)

/** Nations by callsign of units that have none of their own: that of the unit above. `rows` come parents first. */
export function fromAbove(rows: readonly Pick<UnitRow, 'depth' | 'unit'>[]): Map<string, string> {
  const found = new Map<string, string>()
  const above: (string | undefined)[] = []
  for (const { depth, unit } of rows) {
    const nation = unit.nation ?? above[depth - 1]
    above[depth] = nation
    if (!unit.nation && nation) for (const callsign of unit.callsigns ?? []) found.set(callsign, nation)
  }
  return found
}

/** Nations by name of who is in a team whose command posts (TAK role HQ) are all of one nation. */
export function fromTeams(rows: readonly Pick<EntityRow, 'name' | 'team' | 'role'>[], called: ReadonlyMap<string, string>): Map<string, string> {
  const posts = new Map<string, Set<string>>()
  for (const { name, team, role } of rows) {
    const nation = called.get(name)
    if (team && role === 'HQ' && nation) posts.set(team, (posts.get(team) ?? new Set()).add(nation))
  }
  const found = new Map<string, string>()
  for (const { name, team } of rows) {
    const [nation, ...others] = posts.get(team ?? '') ?? []
    if (nation && !others.length) found.set(name, nation)
  }
  return found
}

/** A role that may not see devices knows its own nation only. */
export async function readNations(index: TrackIndex, me: Me | null): Promise<void> {
  const found = new Map<string, string>()
  if (me?.principal.nation) found.set(me.principal.id, me.principal.nation)
  try {
    for (const { name, nation } of await api.devices()) if (nation) found.set(`device:${name}`, nation)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
  const called = new Map<string, string>()
  let derived = new Map<string, string>()
  try {
    const units = await call<UnitRow[]>('GET', '/orbat')
    for (const { unit } of units) if (unit.nation) for (const callsign of unit.callsigns ?? []) called.set(callsign, unit.nation)
    derived = new Map([...fromTeams(await call<EntityRow[]>('GET', '/entities?kind=friend'), called), ...fromAbove(units)])
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
  index.nations = found
  index.called = called
  index.derived = derived
  nations_version.value++
}
